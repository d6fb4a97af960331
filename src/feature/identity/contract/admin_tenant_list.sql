-- admin/tenant_list: the tenants that the caller serves.
-- zh: 可访问的租户。
-- mode: read   shape: list   class: point   cursor: id id
-- $1 limit      int     query.limit  default=200 range=1..200
-- $2 cursor_at  bigint  cursor.0     optional
-- $3 cursor_id  bigint  cursor.1     optional
-- returns id bigint, code text, name text, lang text, status text
select c.tenant_id as id, c.code, c.name, c.lang, c.status
from customers c
where $2::bigint is null or c.tenant_id > coalesce($3::bigint, 0)
order by c.tenant_id
limit $1::int
