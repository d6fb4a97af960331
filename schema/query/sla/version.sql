-- sla/version: an immutable policy version and calendar version by id.
-- mode: job   shape: rows   class: job
-- $1 policy    bigint  call.policy    required
-- $2 calendar  bigint  call.calendar  required
select p.doc as policy, k.doc as calendar, l.doc as ladder
from sla_configurations p
left join calendars l on l.id = p.ladder_calendar_id, calendars k
where p.id = $1::bigint and k.id = $2::bigint
limit 1
