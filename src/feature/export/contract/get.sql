-- export/get: one export by its number.
-- mode: read   shape: rows   class: point
-- $1 number  text    call.number  required
-- $2 user    bigint  call.user    required
-- $3 all     bool    call.all     required
select e.export_no, e.export_type, e.format, e.status, e.records, e.estimated, f.bytes, f.id as file_id, e.error, e.created_at, e.done_at, e.expires_at,
  e.complete
from exports_seen e
left join files f on f.tenant_id = e.tenant_id and f.id = e.file_id and f.whole
where e.tenant_id = any ((select current_setting('app.current_tenants')::bigint[])::bigint[]) and e.export_no = $1::text
  and (e.user_id = $2::bigint or $3::bool)
limit 1
