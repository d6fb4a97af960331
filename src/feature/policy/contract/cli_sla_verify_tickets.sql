-- cli/sla_verify_tickets: stored tickets after an id, of all tenants or of one.
-- mode: job   shape: rows   class: job
-- $1 code   text    call.code   required
-- $2 after  bigint  call.after  required
-- $3 limit  int     call.limit  required
select s.id, t.number, s.doc, t.policy_id, t.calendar_id
from ticket_state s
join tickets t on t.tenant_id = s.tenant_id and t.id = s.id
join customers c on c.tenant_id = t.tenant_id
where ($1 = '' or c.code = $1) and s.id > $2::bigint
order by s.id
limit $3::int
