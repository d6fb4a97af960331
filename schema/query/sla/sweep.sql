-- sla/sweep: the clocks and timers that are due before an instant, 1,000 of each kind from a given instant on, so that the heap finds what it has not heard of.
-- mode: job   shape: rows   class: fire
-- $1 before        bigint  call.before        required
-- $2 after_clocks  bigint  call.after_clocks  required
-- $3 after_timers  bigint  call.after_timers  required
(select c.tenant_id, c.ticket_id as id, c.clock as kind, c.next_fire_at as at
from sla_clocks c
where c.next_fire_at < ts($1::bigint) and c.next_fire_at >= ts($2::bigint)
order by c.next_fire_at
limit 1000)
union all
(select t.tenant_id, t.id, 'timer' as kind, t.due_at as at
from timers t
where t.state = 'pending' and t.due_at < ts($1::bigint) and t.due_at >= ts($3::bigint)
order by t.due_at
limit 1000)
