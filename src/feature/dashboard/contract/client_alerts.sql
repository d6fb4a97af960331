-- client/alerts: open tickets that have used more than 80 % of a budget, including those in breach.
-- zh: SLA 告警：已违约或已用去 80% 以上时限的未关闭工单。
-- mode: read   shape: list   class: point   cursor: urgent_at ticket_id
-- $1 limit      int     query.limit      default=50 range=1..200
-- $2 cursor_at  bigint  cursor.0         optional
-- $3 cursor_id  bigint  cursor.1         optional
-- $4 tenant_id  bigint  query.tenant_id  optional range=1..9007199254740991
-- $5 severity   text    query.severity   optional in=high|medium|low
-- returns type text, severity text, ticket_id bigint, number text, tenant_id bigint, title text, status text, priority text, priority_label text, urgent_clock text,
-- returns urgent_at timestamptz, sla_high smallint, timestamp timestamptz
select case when x.breached then 'sla_violation' else 'sla_warning' end as type, x.severity, x.id as ticket_id, x.number, x.tenant_id, x.title,
  x.status, x.priority, x.priority as priority_label, x.urgent_clock, x.urgent_at, x.sla_high, x.alert_at as timestamp
from unnest((select current_setting('app.current_tenants')::bigint[])) as tn(id)
cross join lateral (
  select a.*, s.severity from ticket_alerts a
  cross join lateral (select case when a.breached then 'high' when a.sla_high >= 90 then 'medium' else 'low' end as severity) s
  where a.tenant_id = tn.id and ($4::bigint is null or a.tenant_id = $4) and ($5::text is null or s.severity = $5::text)
    and ($2::bigint is null or (a.urgent_at, a.id) > (case when $2 = 9007199254740992 then 'infinity' else ts($2) end, $3::bigint))
  order by a.urgent_at, a.id
  limit $1::int
) x
order by x.urgent_at, x.id
limit $1::int
