-- bus/fetch: events after a position of each tenant, in order and without gaps.
-- mode: job   shape: rows   class: job
-- $1 tenants  text  call.tenants  required
-- $2 after    text  call.after    required
-- $3 limit    int   call.limit    required
select x.tenant_id, x.seq, x.type, x.ticket_id, x.actor_kind, x.actor_id, x.audience, x.at, x.data, x.number, x.title, x.status, x.priority,
  x.urgent_at, x.urgent_clock, x.sla_high, x.assignee_id, x.department, x.project, x.requester_id
from unnest($1::bigint[], $2::bigint[]) as p(tenant_id, after)
cross join lateral (
  select e.tenant_id, e.seq, e.type, e.ticket_id, e.actor_kind, e.actor_id, e.audience, e.at, e.data, t.number, t.title, t.status,
    t.priority, t.urgent_at, t.urgent_clock, t.sla_high, t.assignee_id,
    t.department, t.project, case when t.requester_kind = 'customer' then t.requester_id end as requester_id
  from events e
  left join tickets t on t.tenant_id = e.tenant_id and t.id = e.ticket_id
  where e.tenant_id = p.tenant_id and e.seq > p.after
  order by e.seq
  limit $3::int
) x
limit $3::int
