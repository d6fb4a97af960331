-- admin/tenant_list: the tenants that the caller serves.
-- zh: 可访问的租户。
-- mode: read   shape: list   class: point
-- returns id bigint, code text, name text, lang text, status text
select c.tenant_id as id, c.code, c.name, c.lang, c.status
from customers c
order by c.tenant_id
limit 200
