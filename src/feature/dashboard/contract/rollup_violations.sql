-- rollup/violations: the latest 100 breaches of N days up to a day (or today), with what was promised when they happened and the actual time, and how many there are.
-- mode: read   shape: rows   class: point
-- $1 now           bigint  call.now           required
-- $2 days          int     call.days          required
-- $3 tenant        bigint  call.tenant        required
-- $4 service_type  text    call.service_type  optional
-- $5 last          text    call.last          optional
select t.id, t.number, t.service_type, b.priority, b.clock, b.budget_s, greatest(us(coalesce(b.stopped_at, ts($1::bigint))) - us(b.breached_at), 0) as over_us,
  us(t.opened_at) as created_at, us(b.breached_at) as breached_at, b.waived, count(*) over () as total
from sla_breaches b join tickets t on t.tenant_id = b.tenant_id and t.id = b.ticket_id
where b.tenant_id = $3::bigint
  and b.breached_at >= ((select coalesce($5::date, (ts($1::bigint) at time zone c.zone)::date) - $2::int + 1 from customers c where c.tenant_id = $3::bigint)::timestamp
    at time zone (select c.zone from customers c where c.tenant_id = $3::bigint))
  and ($5::text is null or b.breached_at < ($5::date + 1)::timestamp at time zone (select c.zone from customers c where c.tenant_id = $3::bigint))
  and ($4::text is null or t.service_type = $4::text)
order by b.breached_at desc
limit 100
