-- export/file_at: the part of a file that holds a byte, and the byte with which the part begins.
-- mode: read   shape: rows   class: point
-- $1 file  bigint  call.file  required
-- $2 byte  bigint  call.byte  required
select x.part_no, x.begins
from (
  select p.part_no, octet_length(p.content) as n, sum(octet_length(p.content)) over (order by p.part_no) - octet_length(p.content) as begins
  from file_parts p
  where p.tenant_id = any ((select current_setting('app.current_tenants')::bigint[])::bigint[]) and p.file_id = $1::bigint) x
where x.begins <= $2::bigint and x.begins + x.n > $2::bigint
limit 1
