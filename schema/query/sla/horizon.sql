-- sla/horizon: every clock and timer that is due before an instant, for the heap; read by COPY.
-- mode: job   shape: rows   class: job
-- $1 before  bigint  call.before  required
select c.tenant_id, c.ticket_id, array_position(array['response', 'resolution', 'update', 'ladder', 'aws'], c.clock), c.next_fire_at
from sla_clocks c
where c.next_fire_at < ts($1::bigint)
union all
select t.tenant_id, t.id, 0, t.due_at
from timers t
where t.state = 'pending' and t.due_at < ts($1::bigint)
