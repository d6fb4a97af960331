-- rollup/trend: the verdicts of each of N days up to a day (or today), for all service types or one.
-- mode: read   shape: rows   class: point
-- $1 now           bigint  call.now           required
-- $2 days          int     call.days          required
-- $3 tenant        bigint  call.tenant        required
-- $4 service_type  text    call.service_type  optional
-- $5 last          text    call.last          optional
with z as materialized (
  select c.tenant_id, coalesce($5::date, (ts($1::bigint) at time zone c.zone)::date) as today from customers c where c.tenant_id = $3::bigint
)
select (z.today - d.n)::text as day, coalesce(sum(r.decided), 0)::bigint as decided, coalesce(sum(r.met), 0)::bigint as met
from z cross join generate_series($2::int - 1, 0, -1) as d(n)
left join rollups r on r.tenant_id = z.tenant_id and r.day = z.today - d.n and ($4::text is null or r.service_type = $4::text)
group by z.today, d.n
order by d.n desc
