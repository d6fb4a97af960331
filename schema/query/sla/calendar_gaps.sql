-- sla/calendar_gaps: calendars with holidays that have no dates for a given year yet: the first 100, and how many there are.
-- mode: job   shape: rows   class: job
-- $1 year  text  call.year  required
select k.tenant_id, k.code, count(*) over () as total
from (select distinct k.tenant_id, k.code from calendars k
where jsonb_array_length(coalesce(k.doc -> 'holidays', '[]')) > 0
  and not exists (select from calendars n, jsonb_array_elements_text(coalesce(n.doc -> 'holidays', '[]')) h
    where n.tenant_id = k.tenant_id and n.code = k.code and h like $1::text || '-%')) k
order by k.tenant_id, k.code
limit 100
