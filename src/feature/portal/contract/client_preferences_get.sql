-- client/preferences_get: my preferences.
-- zh: 我的偏好设置。
-- mode: read   shape: object   class: point
-- $1 user_id  bigint  session.customer  required
-- returns preferences jsonb, lang text, timezone text
select u.preferences, u.lang, c.zone as timezone
from client_users u join customers c on c.tenant_id = u.tenant_id
where u.tenant_id = any ((select current_setting('app.current_tenants')::bigint[])::bigint[]) and u.id = $1::bigint
  and (select current_setting('app.audience')) = 'customer'
limit 1
