-- user/get: one of a customer's users.
-- zh: 单个用户。
-- mode: read   shape: object   class: point
-- $1 user_id  bigint  path.user_id  required range=1..9007199254740991
-- $2 pii      bool    session.may.pii:read   required
-- returns user_id bigint, tenant_id bigint, username text, full_name text, email text, phone text, role_type text, department text,
-- returns project text, contract text, cost_centre text, region text, office text, lang text, is_active boolean, email_confirmed boolean,
-- returns must_change_password boolean, last_login_at timestamptz, created_at timestamptz
select u.id as user_id, u.tenant_id, u.username, u.full_name,
  case when $2::bool then sealed_at('client_users.email', u.tenant_id, sealed_row(u), u.email)
    else masked_mail(sealed_at('client_users.email', u.tenant_id, sealed_row(u), u.email)) end as email,
  case when $2::bool then sealed_at('client_users.phone', u.tenant_id, sealed_row(u), u.phone)
    else masked_phone(sealed_at('client_users.phone', u.tenant_id, sealed_row(u), u.phone)) end as phone, u.role_type, u.department, u.project, u.contract, u.cost_centre,
  u.region, u.office, u.lang, u.disabled_at is null as is_active, u.address_given_at is null as email_confirmed, u.must_change as must_change_password, u.last_login_at, u.created_at
from client_users u
where u.tenant_id = any ((select current_setting('app.current_tenants')::bigint[])::bigint[]) and u.id = $1::bigint
limit 1
