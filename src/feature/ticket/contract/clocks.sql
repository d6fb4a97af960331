-- ticket/clocks: the stored clocks of a ticket.
-- zh: 工单的 SLA 时钟。
-- mode: read   shape: list   class: point   cursor: position position
-- $1 id  bigint  path.id  required range=1..9007199254740991
-- $2 limit      int     query.limit  default=200 range=1..200
-- $3 cursor_at  bigint  cursor.0     optional
-- $4 cursor_id  bigint  cursor.1     optional
-- returns position integer, clock text, state text, cycle integer, budget_s integer, start_at timestamptz, due_at timestamptz,
-- returns next_fire_at timestamptz, stopped_at timestamptz, breached_at timestamptz, missed integer, by_priority boolean,
-- returns contested boolean, self_reported boolean, waived boolean, verdict text
select c.position, k.clock, k.state, k.cycle, k.budget_s, k.start_at, k.due_at, k.next_fire_at, k.stopped_at, k.breached_at, k.missed, k.by_priority,
  k.contested, k.self_reported, k.waived, k.verdict
from sla_clocks k join (values ('ladder', 1), ('resolution', 2), ('response', 3), ('update', 4), ('aws', 5)) c(clock, position) on c.clock = k.clock
where k.ticket_id = $1::bigint and k.tenant_id = any ((select current_setting('app.current_tenants')::bigint[])::bigint[])
  and ($3::bigint is null or c.position > coalesce($4::bigint, 0))
order by c.position
limit $2::int
