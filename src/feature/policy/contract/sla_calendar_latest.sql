-- sla/calendar_latest: the newest version of a calendar.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
-- $2 code    text    call.code    required
select k.id, k.version, k.doc
from calendars k
where k.tenant_id = $1::bigint and k.code = $2::text
order by k.version desc
limit 1
