-- cli/calendar_list: the newest version of each calendar.
-- mode: job   shape: rows   class: job
-- $1 tenant  text  call.tenant  required
select distinct on (k.tenant_id, k.code) c.code as tenant, k.code, k.version, k.doc ->> 'tz', k.created_at
from calendars k join customers c on c.tenant_id = k.tenant_id
where $1 = '' or k.tenant_id = $1::bigint or k.tenant_id = 1
order by k.tenant_id, k.code, k.version desc
