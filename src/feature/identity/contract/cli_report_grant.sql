-- cli/report_grant: let a database login read a tenant for reports.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
-- $2 login   text    call.login   required
insert into report_logins (tenant_id, login) values ($1::bigint, $2) on conflict do nothing
returning login
