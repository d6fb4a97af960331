-- cli/report_revoke: a database login no longer reads a tenant.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
-- $2 login   text    call.login   required
-- $3 rows    json    call.rows    required
with gone as (
  delete from report_logins r where r.tenant_id = $1::bigint and r.login = $2 returning r.login
)
select gone.login, audit_append($3::jsonb) from gone
