-- staff/customers: the customers that a member of the staff serves, of those that the caller serves.
-- zh: 员工服务的客户（限于调用者自己服务的客户）。
-- mode: read   shape: list   class: point   cursor: tenant_id tenant_id
-- $1 staff_id   bigint  path.staff_id  required range=1..9007199254740991
-- $2 limit      int     query.limit    default=100 range=1..200
-- $3 cursor_at  bigint  cursor.0       optional
-- $4 cursor_id  bigint  cursor.1       optional
-- returns tenant_id bigint, code text, name text, status text
select c.tenant_id, c.code, c.name, c.status
from staff s join customers c on c.tenant_id > 1
  and (s.serves_all or exists (select from staff_tenants x where x.tenant_id = c.tenant_id and x.staff_id = s.id))
where s.id = $1::bigint and ($3::bigint is null or c.tenant_id > coalesce($4::bigint, 0))
order by c.tenant_id
limit $2::int
