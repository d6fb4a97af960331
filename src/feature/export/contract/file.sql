-- export/file: a complete file that has not expired, for its creator or a user with export:all.
-- mode: read   shape: rows   class: point
-- $1 file  bigint  call.file  required
-- $2 user  bigint  call.user  required
-- $3 all   bool    call.all   required
-- $4 now   bigint  call.now   required
select f.name, f.content_type, f.bytes, f.parts
from files f
join exports_seen e on e.tenant_id = f.tenant_id and e.file_id = f.id
where f.tenant_id = any ((select current_setting('app.current_tenants')::bigint[])::bigint[]) and f.id = $1::bigint
  and f.whole and f.expires_at > ts($4::bigint) and (e.user_id = $2::bigint or $3::bool)
limit 1
