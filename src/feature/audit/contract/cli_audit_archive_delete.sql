-- cli/audit_archive_delete: delete the rows that are in a file.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
-- $2 first   bigint  call.first   required
-- $3 last    bigint  call.last    required
delete from audit_logs a
where a.tenant_id = $1::bigint and a.chain_no between $2::bigint and $3::bigint
