-- cli/calendar_show: the document of a calendar, of its newest version or of one.
-- mode: job   shape: rows   class: job
-- $1 tenant   bigint  call.tenant   required
-- $2 code     text    call.code     required
-- $3 version  text    call.version  required
select jsonb_pretty(k.doc)
from calendars k
where k.tenant_id in ($1::bigint, 1) and k.code = $2 and ($3 = '' or k.version = $3::int)
order by k.tenant_id desc, k.version desc
limit 1
