-- ticket/list: tickets of the caller's tenants, newest first; can be limited to a range of opening times and to the tickets behind a number (doc/api/metrics.md).
-- zh: 工单列表，最新的在前。
-- mode: read   shape: list   class: point   cursor: opened_at id
-- $1 limit        int      query.limit         default=20 range=1..200
-- $2 cursor_at    bigint   cursor.0            optional
-- $3 cursor_id    bigint   cursor.1            optional
-- $4 status       text     query.status        optional in=new|accepted|in_progress|pending_customer|pending_aws|scheduled|mitigated|monitoring|resolved|closed|cancelled|merged
-- $5 priority     text     query.priority      optional in=P0|P1|P2|P3|P4
-- $6 tenant_id    bigint   query.tenant_id     optional range=1..9007199254740991
-- $7 assignee_id  bigint   query.assignee_id   optional range=1..9007199254740991
-- $8 tag          text     query.tag           optional len=1..50
-- $9 figure       text     query.figure        optional in=pending|resolved|overdue|responded|solved
-- $10 opened_from  time    query.opened_from   optional
-- $11 opened_to    time    query.opened_to     optional
-- $12 rated_from   time    query.rated_from    optional
-- $13 rated_to     time    query.rated_to      optional
-- returns id bigint, number text, tenant_id bigint, title text, status text, priority text, priority_label text, service_type text, assignee_id bigint,
-- returns requester_id bigint, level smallint, opened_at timestamptz, updated_at timestamptz, urgent_at timestamptz,
-- returns urgent_clock text, sla_high smallint, sla_breached boolean, priority_confirmed boolean, version bigint,
-- returns first_response_at timestamptz, resolved_at timestamptz
select x.id, x.number, x.tenant_id, x.title, x.status, x.priority, x.priority as priority_label, x.service_type, x.assignee_id, x.requester_id, x.level, x.opened_at,
  x.updated_at, x.urgent_at, x.urgent_clock, x.sla_high, x.sla_breached, x.priority_confirmed, x.version,
  x.first_response_at, x.resolved_at
from unnest((select current_setting('app.current_tenants')::bigint[])) as tn(id)
cross join lateral (
  select t.id, t.number, t.tenant_id, t.title, t.status, t.priority, t.service_type, t.assignee_id, t.requester_id, t.level, t.opened_at,
    t.updated_at, t.urgent_at, t.urgent_clock, t.sla_high, t.sla_breached, t.priority_confirmed, t.version,
    t.first_response_at, t.resolved_at
  from tickets t
  where t.tenant_id = tn.id
    and ($6::bigint is null or t.tenant_id = $6)
    and ($2::bigint is null or (t.opened_at, t.id) < (ts($2), $3::bigint))
    and ($4::text is null or t.status = $4)
    and ($5::text is null or t.priority = $5)
    and ($7::bigint is null or t.assignee_id = $7)
    and ($8::text is null or t.tags @> array[$8::text])
    and (case $9::text when 'resolved' then t.status in ('resolved', 'closed')
      when 'pending' then t.status in ('new', 'accepted', 'in_progress', 'pending_customer', 'pending_aws', 'scheduled', 'mitigated', 'monitoring')
      when 'overdue' then t.sla_breached
        and t.status in ('new', 'accepted', 'in_progress', 'pending_customer', 'pending_aws', 'scheduled', 'mitigated', 'monitoring')
      when 'responded' then t.first_response_at is not null when 'solved' then t.resolved_at is not null
      else true end)
    and t.opened_at >= coalesce($10::timestamptz, '-infinity') and t.opened_at < coalesce($11::timestamptz, 'infinity')
    and ($12::timestamptz is null and $13::timestamptz is null or exists (select from client_satisfaction s where s.tenant_id = t.tenant_id
      and s.ticket_id = t.id and s.rated_at >= coalesce($12::timestamptz, '-infinity') and s.rated_at < coalesce($13::timestamptz, 'infinity')))
  order by t.opened_at desc, t.id desc
  limit $1::int
) x
order by x.opened_at desc, x.id desc
limit $1::int
