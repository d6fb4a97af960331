-- client/clocks: open tickets with their live clocks, the earliest deadline first.
-- zh: 未关闭的工单及其实时 SLA 时钟，最先到期的在前。
-- mode: read   shape: list   class: point   cursor: urgent_at ticket_id
-- $1 limit      int     query.limit      default=50 range=1..200
-- $2 cursor_at  bigint  cursor.0         optional
-- $3 cursor_id  bigint  cursor.1         optional
-- $4 tenant_id  bigint  query.tenant_id  optional range=1..9007199254740991
-- $5 now        bigint  session.now      required
-- returns ticket_id bigint, number text, tenant_id bigint, title text, status text, priority text, priority_label text, urgent_clock text, urgent_at timestamptz,
-- returns remaining_seconds bigint, sla_high smallint, sla_breached boolean, clocks jsonb
select x.id as ticket_id, x.number, x.tenant_id, x.title, x.status, x.priority, x.priority as priority_label, x.urgent_clock, x.urgent_at,
  case when x.urgent_at < 'infinity' then (us(x.urgent_at) - $5::bigint) / 1000000 end as remaining_seconds, x.sla_high, x.sla_breached,
  coalesce(k.clocks, '[]') as clocks
from (
  select t.* from unnest((select current_setting('app.current_tenants')::bigint[])) as tn(id)
  cross join lateral (
    select t.id, t.number, t.tenant_id, t.title, t.status, t.priority, t.urgent_clock, t.urgent_at, t.sla_high, t.sla_breached
    from tickets t
    where t.tenant_id = tn.id and ($4::bigint is null or t.tenant_id = $4)
      and t.status in ('new', 'accepted', 'in_progress', 'pending_customer', 'pending_aws', 'scheduled', 'mitigated', 'monitoring')
      and ($2::bigint is null or (t.urgent_at, t.id) > (case when $2 = 9007199254740992 then 'infinity' else ts($2) end, $3::bigint))
    order by t.urgent_at, t.id
    limit $1::int) t
  order by t.urgent_at, t.id
  limit $1::int
) x
left join lateral (
  select jsonb_agg(jsonb_build_object('clock', c.clock, 'state', c.state, 'budget_seconds', c.budget_s,
    'due_at', to_char(c.due_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
    'remaining_seconds', case when c.state = 'running' then (us(c.due_at) - $5::bigint) / 1000000 end,
    'breached', c.breached_at is not null, 'verdict', c.verdict) order by c.clock) as clocks
  from sla_clocks c where c.tenant_id = x.tenant_id and c.ticket_id = x.id) k on true
order by x.urgent_at, x.id
