-- integration/users: a customer's users for another module; mail addresses and phone numbers need a token with pii:read.
-- mode: read   shape: rows   class: point
-- $1 tenant  bigint  call.tenant  required
-- $2 pii     bool    call.pii     required
-- $3 after   bigint  call.after   required
-- $4 limit   int     call.limit   required
select u.id, u.username, u.full_name, u.role_type, u.department, u.project, u.disabled_at is null as is_active,
  case when $2::bool then sealed_at('client_users.email', u.tenant_id, sealed_row(u), u.email)
    else masked_mail(sealed_at('client_users.email', u.tenant_id, sealed_row(u), u.email)) end as email,
  case when $2::bool then sealed_at('client_users.phone', u.tenant_id, sealed_row(u), u.phone)
    else masked_phone(sealed_at('client_users.phone', u.tenant_id, sealed_row(u), u.phone)) end as phone, u.lang
from client_users u
where u.tenant_id = $1::bigint and u.id > $3::bigint
order by u.id
limit $4::int
