-- sla/calendar_hours: the newest version of a calendar of a tenant or of the provider.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
-- $2 code    text    call.code    required
select k.doc
from calendars k
where k.tenant_id in ($1::bigint, 1) and k.code = $2::text
order by k.tenant_id desc, k.version desc
limit 1
