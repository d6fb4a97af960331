-- cli/sla_explain_events: what explains a ticket's clocks: the versions that it is bound to, and who changed its state when and why. At least one row.
-- mode: job   shape: rows   class: job
-- $1 ticket  text  call.ticket  required
select p.code, p.version, k.code, k.version, us(e.at), coalesce(s.full_name, u.full_name, e.actor_kind), left(m.body, 500)
from tickets t
join sla_configurations p on p.tenant_id in (t.tenant_id, 1) and p.id = t.policy_id
join calendars k on k.tenant_id in (t.tenant_id, 1) and k.id = t.calendar_id
left join events e on e.tenant_id = t.tenant_id and e.ticket_id = t.id and e.at >= t.opened_at - interval '1 day'
  and e.type in ('ticket.created', 'ticket.waiting_customer', 'ticket.waiting_aws', 'ticket.scheduled', 'ticket.resolved', 'ticket.closed')
left join staff s on e.actor_kind = 'staff' and s.tenant_id = 1 and s.id = e.actor_id
left join client_users u on e.actor_kind = 'customer' and u.tenant_id = t.tenant_id and u.id = e.actor_id
left join ticket_comments m on m.tenant_id = e.tenant_id and m.ticket_id = e.ticket_id and m.id = (e.data ->> 'comment_id')::bigint and m.created_at = e.at
where t.number = $1 or t.id::text = $1
order by e.seq
