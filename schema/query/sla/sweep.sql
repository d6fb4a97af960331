-- sla/sweep: clocks and timers due before an instant, to find those that the heap has missed.
-- mode: job   shape: rows   class: fire
-- $1 before  bigint  call.before  required
(select c.tenant_id, c.ticket_id as id, c.clock as kind, c.next_fire_at as at
from sla_clocks c
where c.next_fire_at < ts($1::bigint)
order by c.next_fire_at
limit 1000)
union all
(select t.tenant_id, t.id, 'timer' as kind, t.due_at as at
from timers t
where t.state = 'pending' and t.due_at < ts($1::bigint)
order by t.due_at
limit 1000)
