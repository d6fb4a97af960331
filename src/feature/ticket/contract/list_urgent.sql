-- ticket/list_urgent: open tickets of the caller's tenants, the earliest deadline first.
-- zh: 未关闭的工单，最紧急的在前。
-- mode: read   shape: list   class: point   cursor: urgent_at id
-- $1 limit        int      query.limit         default=20 range=1..200
-- $2 cursor_at    bigint   cursor.0            optional
-- $3 cursor_id    bigint   cursor.1            optional
-- $4 status       text     query.status        optional in=new|accepted|in_progress|pending_customer|pending_aws|scheduled|mitigated|monitoring
-- $5 priority     text     query.priority      optional in=P0|P1|P2|P3|P4
-- $6 tenant_id    bigint   query.tenant_id     optional range=1..9007199254740991
-- $7 assignee_id  bigint   query.assignee_id   optional range=1..9007199254740991
-- $8 tag          text     query.tag           optional len=1..50
-- returns id bigint, number text, tenant_id bigint, title text, status text, priority text, priority_label text, service_type text, assignee_id bigint,
-- returns requester_id bigint, level smallint, opened_at timestamptz, updated_at timestamptz, urgent_at timestamptz,
-- returns urgent_clock text, sla_high smallint, sla_breached boolean, priority_confirmed boolean, version bigint
select x.id, x.number, x.tenant_id, x.title, x.status, x.priority, x.priority as priority_label, x.service_type, x.assignee_id, x.requester_id, x.level, x.opened_at,
  x.updated_at, x.urgent_at, x.urgent_clock, x.sla_high, x.sla_breached, x.priority_confirmed, x.version
from unnest((select current_setting('app.current_tenants')::bigint[])) as tn(id)
cross join lateral (
  select t.id, t.number, t.tenant_id, t.title, t.status, t.priority, t.service_type, t.assignee_id, t.requester_id, t.level, t.opened_at,
    t.updated_at, t.urgent_at, t.urgent_clock, t.sla_high, t.sla_breached, t.priority_confirmed, t.version
  from tickets t
  where t.tenant_id = tn.id
    and t.status in ('new', 'accepted', 'in_progress', 'pending_customer', 'pending_aws', 'scheduled', 'mitigated', 'monitoring')
    and ($6::bigint is null or t.tenant_id = $6)
    and ($2::bigint is null or (t.urgent_at, t.id) > (case when $2 = 9007199254740992 then 'infinity' else ts($2) end, $3::bigint))
    and ($4::text is null or t.status = $4)
    and ($5::text is null or t.priority = $5)
    and ($7::bigint is null or t.assignee_id = $7)
    and ($8::text is null or t.tags @> array[$8::text])
  order by t.urgent_at, t.id
  limit $1::int
) x
order by x.urgent_at, x.id
limit $1::int
