-- client/theme_get: a portal's appearance and login methods, as shown before the login.
-- mode: door   shape: rows   class: point
-- $1 of  text  call.of  required
select t.tenant_id, t.name, t.logo_url, t.primary_color, t.accent_color, t.support_contact, t.updated_at, t.sso, t.code
from door.theme($1::text) t
limit 1
