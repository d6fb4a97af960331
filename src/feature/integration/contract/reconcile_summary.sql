-- reconcile/summary: the number of a tenant's tickets that come from a source system, and a checksum over a line "id|status|priority" for each, ordered by id.
-- mode: read   shape: rows   class: slow
-- $1 tenant  bigint  call.tenant  required
select count(*) as tickets, encode(sha256(convert_to(coalesce(string_agg(s.external_id || '|' || t.status || '|' || t.priority || E'\n', ''
  order by s.external_id collate "C"), ''), 'UTF8')), 'hex') as checksum
from sync_tickets s
join tickets t on t.tenant_id = s.tenant_id and t.id = s.ticket_id
where s.tenant_id = $1::bigint
