-- cli/demo_timer: what falls due next on a ticket, besides its clocks.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
-- $2 ticket  bigint  call.ticket  required
select m.id, m.kind, us(m.due_at)
from timers m
where m.tenant_id = $1::bigint and m.subject_id = $2::bigint and m.state = 'pending'
order by m.due_at, m.id
limit 1
