-- cli/audit_archive_next: a tenant's next complete month before a day: its rows, and the digest before them. The last row of the chain is never part of it.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
-- $2 before  text    call.before  required
with f as (
  select a.chain_no, date_trunc('month', a.at at time zone 'UTC') as month
  from audit_logs a
  where a.tenant_id = $1::bigint
  order by a.chain_no
  limit 1
), e as (
  select f.*,
    (select min(a.chain_no) from audit_logs a
     where a.tenant_id = $1::bigint and a.at >= least(f.month + interval '1 month', $2::timestamp) at time zone 'UTC') as stop,
    (select max(a.chain_no) from audit_logs a where a.tenant_id = $1::bigint) as newest
  from f
), x as (
  select e.chain_no as first_no, least(e.stop, e.newest) - 1 as last_no, e.month from e
)
select x.first_no, x.last_no, x.month::date,
  (select max(a.at) from audit_logs a where a.tenant_id = $1::bigint and a.chain_no between x.first_no and x.last_no),
  c.code,
  (select encode(p.last_digest, 'hex') from audit_archives p where p.tenant_id = $1::bigint and p.last_no = x.first_no - 1)
from x
join customers c on c.tenant_id = $1::bigint
where x.last_no >= x.first_no
