-- rollup/violations: the latest breaches of N days, with target and actual time.
-- mode: read   shape: rows   class: point
-- $1 now           bigint  call.now           required
-- $2 days          int     call.days          required
-- $3 tenant        bigint  call.tenant        required
-- $4 service_type  text    call.service_type  optional
select t.id, t.number, t.service_type, t.priority, k.clock, k.budget_s, greatest(us(coalesce(k.stopped_at, ts($1::bigint))) - us(k.breached_at), 0) as over_us,
  us(t.opened_at) as created_at, us(k.breached_at) as breached_at, k.waived
from sla_clocks k join tickets t on t.tenant_id = k.tenant_id and t.id = k.ticket_id
where k.tenant_id = $3::bigint and k.breached_at is not null and k.clock in ('response', 'resolution')
  and k.breached_at >= ((select (ts($1::bigint) at time zone c.timezone)::date - $2::int + 1 from customers c where c.tenant_id = $3::bigint)::timestamp
    at time zone (select c.timezone from customers c where c.tenant_id = $3::bigint))
  and ($4::text is null or t.service_type = $4::text)
order by k.breached_at desc
limit 100
