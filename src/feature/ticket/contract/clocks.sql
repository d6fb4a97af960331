-- ticket/clocks: the stored clocks of a ticket.
-- zh: 工单的 SLA 时钟。
-- mode: read   shape: list   class: point
-- $1 id  bigint  path.id  required range=1..9007199254740991
-- returns clock text, state text, cycle integer, budget_s integer, start_at timestamptz, due_at timestamptz,
-- returns next_fire_at timestamptz, stopped_at timestamptz, breached_at timestamptz, missed integer, by_priority boolean,
-- returns contested boolean, self_reported boolean, waived boolean, verdict text
select k.clock, k.state, k.cycle, k.budget_s, k.start_at, k.due_at, k.next_fire_at, k.stopped_at, k.breached_at, k.missed, k.by_priority,
  k.contested, k.self_reported, k.waived, k.verdict
from sla_clocks k
where k.ticket_id = $1::bigint and k.tenant_id = any ((select current_setting('app.current_tenants')::bigint[])::bigint[])
order by k.clock
limit 10
