-- customer/contacts: a customer's contacts; mail addresses and phone numbers are masked without pii:read.
-- zh: 客户的联系人；没有 pii:read 权限时邮箱与电话脱敏。
-- mode: read   shape: list   class: point   cursor: vip contact_id
-- $1 tenant_id  bigint  path.tenant_id  required range=2..9007199254740991
-- $2 pii        bool    session.may.pii:read  required
-- $3 limit      int     query.limit  default=200 range=1..200
-- $4 cursor_at  bigint  cursor.0     optional
-- $5 cursor_id  bigint  cursor.1     optional
-- returns contact_id bigint, external_id text, name text, title text, email text, phone text, vip boolean
select k.id as contact_id, k.external_id, k.name, k.title,
  case when $2::bool then sealed_at('contacts.email', k.tenant_id, sealed_row(k), k.email)
    else masked_mail(sealed_at('contacts.email', k.tenant_id, sealed_row(k), k.email)) end as email,
  case when $2::bool then sealed_at('contacts.phone', k.tenant_id, sealed_row(k), k.phone)
    else masked_phone(sealed_at('contacts.phone', k.tenant_id, sealed_row(k), k.phone)) end as phone, k.vip
from contacts k
where k.tenant_id = $1::bigint and k.tenant_id = any ((select current_setting('app.current_tenants')::bigint[])::bigint[])
  and ($4::bigint is null or (not k.vip, k.id) > ($4::bigint = 0, coalesce($5::bigint, 0)))
order by not k.vip, k.id
limit $3::int
