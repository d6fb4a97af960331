-- cli/demo_open: the tickets that may go on, each with what people have done on it since it was opened.
-- mode: job   shape: rows   class: job
-- $1 since  time  call.since  required
select t.tenant_id, t.id, t.number, t.title, t.priority, us(t.opened_at), u.username, coalesce(h.types, ''), coalesce(h.last_at, us(t.opened_at)), t.status
from tickets t
join client_users u on u.tenant_id = t.tenant_id and u.id = t.requester_id
left join lateral (
  select string_agg(e.type, ',' order by e.seq) as types, us(max(e.at)) as last_at
  from events e
  where e.tenant_id = t.tenant_id and e.ticket_id = t.id and e.actor_kind in ('staff', 'customer') and e.type not in ('ticket.created', 'ticket.rca_done', 'ticket.report_done')
) h on true
where t.tenant_id > 1 and t.requester_kind = 'customer' and t.source <> 'import'
  and (t.status not in ('closed', 'cancelled', 'merged') or (t.status = 'closed' and t.closed_at > $1::timestamptz))
order by t.id
