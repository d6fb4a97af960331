-- cli/sla_replay_events: the history of the tickets that were opened in a period, of all tenants or of one.
-- mode: job   shape: rows   class: job
-- $1 code  text  call.code  required
-- $2 from  time  call.from  required
-- $3 to    time  call.to    required
select e.ticket_id, e.seq, e.type, us(e.at), e.data, t.exclusion_state = 'approved'
from tickets t
join events e on e.tenant_id = t.tenant_id and e.ticket_id = t.id
join customers c on c.tenant_id = t.tenant_id
where ($1 = '' or c.code = $1) and t.opened_at >= $2::timestamptz and t.opened_at < $3::timestamptz
order by e.ticket_id, e.seq
