-- cli/import_clocks: store the staged clocks.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
with b as ( -- of the last cycle; the clocks of earlier ones are not in the log
  insert into sla_breaches (tenant_id, ticket_id, clock, cycle, priority, budget_s, breached_at, stopped_at)
  select distinct on (m.id, k.clock) $1::bigint, m.id, k.clock, k.cycle, f.priority, f.budget, ts(k.breached), ts(k.stopped)
  from s_clock k
  join s_new m on m.n = k.n
  join s_fire f on f.n = k.n and f.clock = k.clock and f.cycle = k.cycle and f.threshold = '100' and f.due = k.breached
  where k.clock in ('response', 'resolution')
)
insert into sla_clocks (tenant_id, ticket_id, clock, state, cycle, budget_s, origin_seq, start_at, stopped_at, breached_at, due_at, carry_us, runs,
  fired, high, missed, by_priority, verdict)
select $1::bigint, m.id, k.clock, k.state, k.cycle, k.budget, real_seq(k.origin, m.base), ts(k.start_at), ts(k.stopped), ts(k.breached), ts(k.due),
  k.carry, k.runs, k.fired, k.high, k.missed, k.by_priority, k.verdict
from s_clock k
join s_new m on m.n = k.n
