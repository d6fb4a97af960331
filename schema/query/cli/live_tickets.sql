-- cli/live_tickets: the open tickets whose clocks stand still.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
select t.id
from tickets t
where t.tenant_id = $1::bigint and t.muted and t.status not in ('closed', 'cancelled', 'merged')
order by t.id
