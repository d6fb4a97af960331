-- cli/audit_anchor_check: the first row at which a tenant's chain is not what was anchored; rows that should have been anchored after the last anchor. Rows in files are compared with those.
-- mode: job   shape: rows   class: job
-- $1 tenant   bigint    call.tenant   required
-- $2 known    json      call.known    required
-- $3 last     bigint    call.last     required
-- $4 last_at  time      call.last_at  required
-- $5 now      time      call.now      required
with x as (
  select x.no, x.digest from jsonb_to_recordset($2::jsonb) x(no bigint, digest text)
), archived as (
  select coalesce(max(r.last_no), 0) as no from audit_archives r where r.tenant_id = $1::bigint
), wrong as (
  select x.no, case when a.chain_no is null then 'the anchored row is missing: the chain was cut off' else 'not the row that was anchored' end as why
  from x
  left join audit_logs a on a.tenant_id = $1::bigint and a.chain_no = x.no
  where x.no > (select no from archived) and encode(a.digest, 'hex') is distinct from x.digest
), expired as (
  select r.last_no, 'removed as expired, although it was anchored less than a year ago'
  from audit_archives r
  where r.tenant_id = $1::bigint and r.expired_at is not null and r.last_no >= $3::bigint and $3::bigint > 0
    and $4::timestamptz > $5::timestamptz - interval '1 year'
), free as (
  select min(a.chain_no), 'these rows should have been anchored: ' || count(*) || ' rows since ' || to_char(min(a.at) at time zone 'UTC', 'YYYY-MM-DD HH24:MI')
  from audit_logs a
  where a.tenant_id = $1::bigint and a.chain_no > $3::bigint
  having count(*) > 5000 or max(a.at) - min(a.at) > interval '1 hour'
)
select f.no, f.why
from (
  select 1 as kind, w.no, w.why from wrong w where w.no = (select min(no) from wrong)
  union all
  select 2, e.* from expired e
  union all
  select 3, r.* from free r
) f
order by f.kind, f.no
