-- cli/demo_state: a ticket as the rules need it.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
-- $2 ticket  bigint  call.ticket  required
select s.doc, s.doc ->> 'policy_id', s.doc ->> 'calendar_id'
from ticket_state s
where s.tenant_id = $1::bigint and s.id = $2::bigint
