-- cli/report_revoke: a database login no longer reads a tenant.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
-- $2 login   text    call.login   required
delete from report_logins where tenant_id = $1::bigint and login = $2
returning login
