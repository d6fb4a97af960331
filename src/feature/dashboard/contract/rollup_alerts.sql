-- rollup/alerts: open tickets that have used more than 80 % of a budget, the 20 most urgent first, and how many there are.
-- mode: read   shape: rows   class: point
-- $1 tenant  bigint  call.tenant  required
select a.id, a.number, a.title, a.priority, a.sla_high, a.breached, us(a.alert_at) as alert_at, count(*) over () as total
from ticket_alerts a
where a.tenant_id = $1::bigint
order by a.breached desc, a.urgent_at, a.id
limit 20
