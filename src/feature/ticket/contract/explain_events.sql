-- ticket/explain_events: what explains a ticket's clocks: the versions that it is bound to, and who changed its state when and why. At least one row.
-- mode: read   shape: rows   class: point
-- $1 id  bigint  call.id  required
select p.code as policy_code, p.version as policy_version, k.code as calendar_code, k.version as calendar_version,
  e.seq, e.type, e.actor_kind, e.actor_id, us(e.at) as at, door.person_name(t.tenant_id, e.actor_kind, e.actor_id) as name, left(m.body, 500) as reason
from tickets t
join sla_configurations p on p.tenant_id in (t.tenant_id, 1) and p.id = t.policy_id
join calendars k on k.tenant_id in (t.tenant_id, 1) and k.id = t.calendar_id
left join events e on e.tenant_id = t.tenant_id and e.ticket_id = t.id and e.at >= t.opened_at - interval '1 day'
  and e.type in ('ticket.created', 'ticket.waiting_customer', 'ticket.waiting_aws', 'ticket.scheduled', 'ticket.resolved', 'ticket.closed')
left join ticket_comments m on m.tenant_id = e.tenant_id and m.ticket_id = e.ticket_id and m.id = (e.data ->> 'comment_id')::bigint and m.created_at = e.at
where t.id = $1::bigint and t.tenant_id = any ((select current_setting('app.current_tenants')::bigint[])::bigint[])
order by e.seq
