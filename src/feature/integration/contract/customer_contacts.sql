-- customer/contacts: a customer's contacts; mail and phone whole only for who may see them (pii:read).
-- zh: 客户联系人;无 pii:read 权限者所见为脱敏形式
-- mode: read   shape: list   class: point
-- $1 tenant_id  bigint  path.tenant_id  required range=2..9007199254740991
-- $2 pii        bool    session.pii     required
-- returns external_id text, name text, title text, email text, phone text, vip boolean
select k.external_id, k.name, k.title, case when $2::bool then k.email else masked_mail(k.email) end as email,
  case when $2::bool then k.phone else masked_phone(k.phone) end as phone, k.vip
from contacts k
where k.tenant_id = $1::bigint and k.tenant_id = any ((select current_setting('app.current_tenants')::bigint[])::bigint[])
order by k.vip desc, k.external_id
limit 500
