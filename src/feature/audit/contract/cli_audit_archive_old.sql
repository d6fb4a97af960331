-- cli/audit_archive_old: files whose rows are older than a number of years.
-- mode: job   shape: rows   class: job
-- $1 now    bigint  call.now    required
-- $2 years  int     call.years  required
select a.tenant_id, a.first_no, a.file
from audit_archives a
where a.expired_at is null and a.last_at < ts($1::bigint) - make_interval(years => $2::int)
order by a.tenant_id, a.first_no
