-- rollup/alerts: open tickets that have used more than 80 % of a budget, the most urgent first.
-- mode: read   shape: rows   class: point
-- $1 tenant  bigint  call.tenant  required
select a.id, a.number, a.title, a.priority, a.sla_high, a.breached, a.urgent_clock, us(a.urgent_at) as urgent_at, us(a.alert_at) as alert_at
from ticket_alerts a
where a.tenant_id = $1::bigint
order by a.breached desc, a.urgent_at, a.id
limit 20
