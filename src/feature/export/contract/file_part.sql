-- export/file_part: one part of a file.
-- mode: read   shape: rows   class: point
-- $1 file     bigint  call.file     required
-- $2 part_no  int     call.part_no  required
select p.content
from file_parts p
where p.tenant_id = any ((select current_setting('app.current_tenants')::bigint[])::bigint[]) and p.file_id = $1::bigint and p.part_no = $2::int
limit 1
