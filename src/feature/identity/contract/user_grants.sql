-- user/grants: a user's grants and restrictions beyond the role, and the data scope.
-- zh: 用户在角色之外的授权、限制与数据范围。
-- mode: read   shape: list   class: point   cursor: permission_id permission_id
-- $1 user_id    bigint  path.user_id  required range=1..9007199254740991
-- $2 limit      int     query.limit   default=100 range=1..200
-- $3 cursor_at  bigint  cursor.0      optional
-- $4 cursor_id  bigint  cursor.1      optional
-- returns permission_id bigint, user_id bigint, resource_type text, permissions jsonb, data_scope jsonb, valid_from timestamptz,
-- returns valid_to timestamptz, created_by_kind text, created_by bigint, created_at timestamptz
select c.id as permission_id, c.user_id, c.resource_type, c.permissions, c.data_scope, c.valid_from, c.valid_to, c.created_by_kind, c.created_by,
  c.created_at
from client_permissions c
where c.tenant_id = any ((select current_setting('app.current_tenants')::bigint[])::bigint[]) and c.user_id = $1::bigint
  and ($3::bigint is null or c.id > coalesce($4::bigint, 0))
order by c.id
limit $2::int
