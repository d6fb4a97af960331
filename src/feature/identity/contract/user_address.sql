-- user/address: the mail address that one of a customer's users has now.
-- mode: read   shape: rows   class: point
-- $1 user_id  bigint  call.user_id  required
select sealed_at('client_users.email', u.tenant_id, sealed_row(u), u.email) as email
from client_users u
where u.tenant_id = (select current_setting('app.current_tenant_id')::bigint) and u.id = $1::bigint
