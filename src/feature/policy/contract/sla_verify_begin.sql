-- sla/verify_begin: the check of a customer's clocks that is under way, or the next one: each customer is checked once from hour $2 of the provider's day on.
-- mode: job   shape: rows   class: job
-- $1 now   bigint  call.now   required
-- $2 hour  int     call.hour  required
with day as (
  select c.zone, ts($1::bigint) at time zone c.zone as now from customers c where c.tenant_id = 1
), night as (
  select (case when d.now < date_trunc('day', d.now) + $2::int * interval '1 hour' then date_trunc('day', d.now) - interval '1 day'
    else date_trunc('day', d.now) end + $2::int * interval '1 hour') at time zone d.zone as began
  from day d
), gone as (
  delete from sla_checks x where x.done_at < ts($1::bigint) - interval '90 days'
), made as (
  insert into sla_checks (tenant_id, started_at)
  select c.tenant_id, ts($1::bigint) from customers c cross join night n
  where c.tenant_id > 1 and not exists (select from sla_checks x where x.tenant_id = c.tenant_id and (x.done_at is null or x.started_at >= n.began))
  on conflict do nothing
  returning tenant_id, started_at, after
)
select x.tenant_id, us(x.started_at), x.after
from (select o.tenant_id, o.started_at, o.after from sla_checks o where o.done_at is null union all select m.tenant_id, m.started_at, m.after from made m) x
order by x.started_at, x.tenant_id
limit 1
