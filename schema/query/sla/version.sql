-- sla/version: an immutable policy version and calendar version by id.
-- mode: job   shape: rows   class: job
-- $1 policy    bigint  call.policy    required
-- $2 calendar  bigint  call.calendar  required
select p.doc as policy, k.doc as calendar
from sla_configurations p, calendars k
where p.id = $1::bigint and k.id = $2::bigint
limit 1
