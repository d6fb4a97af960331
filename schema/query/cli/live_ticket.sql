-- cli/live_ticket: a ticket whose clocks stand still.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
-- $2 ticket  bigint  call.ticket  required
select s.doc, t.policy_id, t.calendar_id
from tickets t
join ticket_state s on s.tenant_id = t.tenant_id and s.id = t.id
where t.tenant_id = $1::bigint and t.id = $2::bigint and t.muted
