-- rollup/tenants: SLA attainment of N days for every tenant that the caller serves, each in its own time zone: a page of them, and the sums of all.
-- mode: read   shape: rows   class: point
-- $1 now    bigint  call.now    required
-- $2 days   int     call.days   required
-- $3 limit  int     call.limit  required
-- $4 after  bigint  call.after  required
with x as materialized (
  select c.tenant_id, c.code, c.name, r.*
  from customers c
  cross join lateral (
    select coalesce(sum(r.opened), 0)::bigint as opened, coalesce(sum(r.response_n), 0)::bigint as response_n,
      coalesce(sum(r.response_s), 0)::bigint as response_s, coalesce(sum(r.resolution_n), 0)::bigint as resolution_n,
      coalesce(sum(r.resolution_s), 0)::bigint as resolution_s, coalesce(sum(r.decided), 0)::bigint as decided, coalesce(sum(r.met), 0)::bigint as met,
      coalesce(sum(r.counted), 0)::bigint as counted, coalesce(sum(r.met_counted), 0)::bigint as met_counted,
      coalesce(sum(r.pending), 0)::bigint as pending, coalesce(sum(r.overdue), 0)::bigint as overdue
    from rollups r
    where r.tenant_id = c.tenant_id and r.day > (ts($1::bigint) at time zone c.zone)::date - $2::int
      and r.day <= (ts($1::bigint) at time zone c.zone)::date) r
  where c.tenant_id > 1 and c.tenant_id = any ((select current_setting('app.current_tenants')::bigint[])::bigint[])
)
select p.*, s.*
from (select coalesce(sum(x.opened), 0)::bigint as all_opened, coalesce(sum(x.decided), 0)::bigint as all_decided,
  coalesce(sum(x.met), 0)::bigint as all_met from x) s
left join (select * from x where x.tenant_id > $4::bigint order by x.tenant_id limit $3::int) p on true
order by p.tenant_id
