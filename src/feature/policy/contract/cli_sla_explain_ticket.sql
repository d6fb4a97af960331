-- cli/sla_explain_ticket: one ticket by its number or id.
-- mode: job   shape: rows   class: job
-- $1 ticket  text  call.ticket  required
select s.doc, t.policy_id, t.calendar_id
from ticket_state s
join tickets t on t.tenant_id = s.tenant_id and t.id = s.id
where t.number = $1 or t.id::text = $1
