-- rollup/alerts: open tickets that have used more than 80 % of a budget, the most urgent first.
-- mode: read   shape: rows   class: point
-- $1 tenant  bigint  call.tenant  required
select t.id, t.number, t.title, t.priority, t.sla_high, t.sla_breached, t.urgent_clock, us(t.urgent_at) as urgent_at, us(t.updated_at) as updated_at
from tickets t
where t.tenant_id = $1::bigint and t.sla_high >= 80
  and t.status in ('new', 'accepted', 'in_progress', 'pending_customer', 'pending_aws', 'scheduled', 'mitigated', 'monitoring')
order by t.sla_breached desc, t.urgent_at, t.id
limit 20
