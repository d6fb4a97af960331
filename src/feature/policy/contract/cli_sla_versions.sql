-- cli/sla_versions: a policy version and a calendar version.
-- mode: job   shape: rows   class: job
-- $1 policy    bigint  call.policy    required
-- $2 calendar  bigint  call.calendar  required
select p.doc, k.doc, l.doc
from sla_configurations p
left join calendars l on l.id = p.ladder_calendar_id, calendars k
where p.id = $1::bigint and k.id = $2::bigint
