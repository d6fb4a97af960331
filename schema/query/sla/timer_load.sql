-- sla/timer_load: a due timer and its ticket.
-- mode: job   shape: rows   class: fire
-- $1 tenant  bigint  call.tenant  required
-- $2 id      bigint  call.id      required
select t.kind, t.subject_id, us(t.due_at) as due_at, t.attempts, t.payload
from timers t
where t.tenant_id = $1::bigint and t.id = $2::bigint and t.state = 'pending'
limit 1
