-- client/logo_get: the logo that a customer uploaded.
-- mode: door   shape: rows   class: point
-- $1 of  text  call.of  required
select l.tenant_id, l.type, l.sha256, l.image from door.logo($1::text) l
limit 1
