-- cli/audit_archive_expire: a file was removed.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
-- $2 first   bigint  call.first   required
-- $3 now     bigint  call.now     required
update audit_archives a
set expired_at = ts($3::bigint)
where a.tenant_id = $1::bigint and a.first_no = $2::bigint
returning a.first_no
