-- user/list: a customer's users; mail addresses and phone numbers are masked without pii:read.
-- zh: 客户的用户列表；没有 pii:read 权限时邮箱与电话脱敏。
-- mode: read   shape: list   class: point   cursor: user_id user_id
-- $1 limit      int     query.limit      default=50 range=1..200
-- $2 cursor_at  bigint  cursor.0         optional
-- $3 cursor_id  bigint  cursor.1         optional
-- $4 role_type  text    query.role_type  optional in=admin|manager|user
-- $5 is_active  bool    query.is_active  optional
-- $6 pii        bool    session.may.pii:read      required
-- $7 tenant_id  bigint  query.tenant_id  optional range=1..9007199254740991
-- returns user_id bigint, tenant_id bigint, username text, full_name text, email text, phone text, role_type text, department text,
-- returns project text, lang text, is_active boolean, email_confirmed boolean, must_change_password boolean, last_login_at timestamptz, created_at timestamptz
select u.id as user_id, u.tenant_id, u.username, u.full_name,
  case when $6::bool then sealed_at('client_users.email', u.tenant_id, sealed_row(u), u.email)
    else masked_mail(sealed_at('client_users.email', u.tenant_id, sealed_row(u), u.email)) end as email,
  case when $6::bool then sealed_at('client_users.phone', u.tenant_id, sealed_row(u), u.phone)
    else masked_phone(sealed_at('client_users.phone', u.tenant_id, sealed_row(u), u.phone)) end as phone, u.role_type, u.department, u.project, u.lang,
  u.disabled_at is null as is_active, u.address_given_at is null as email_confirmed, u.must_change as must_change_password, u.last_login_at, u.created_at
from client_users u
where u.tenant_id = any ((select current_setting('app.current_tenants')::bigint[])::bigint[])
  and ($7::bigint is null or u.tenant_id = $7::bigint)
  and ($2::bigint is null or u.id > coalesce($3::bigint, 0))
  and ($4::text is null or u.role_type = $4::text)
  and ($5::bool is null or (u.disabled_at is null) = $5::bool)
order by u.id
limit $1::int
