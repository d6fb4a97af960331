-- dashboard/list: my dashboards, and those shared with me.
-- zh: 我的仪表板以及共享给我的仪表板。
-- mode: read   shape: list   class: point   cursor: config_id config_id
-- $1 user_id    bigint  session.customer  required
-- $2 limit      int     query.limit   default=50 range=1..200
-- $3 cursor_at  bigint  cursor.0      optional
-- $4 cursor_id  bigint  cursor.1      optional
-- returns config_id bigint, dashboard_name text, is_default boolean, is_shared boolean, mine boolean, version bigint, created_at timestamptz,
-- returns updated_at timestamptz
select d.id as config_id, d.dashboard_name, d.is_default, d.is_shared, d.user_id = $1::bigint as mine, d.version, d.created_at, d.updated_at
from dashboard_configs d
where d.tenant_id = any ((select current_setting('app.current_tenants')::bigint[])::bigint[])
  and (d.user_id = $1::bigint or d.is_shared) and ($3::bigint is null or d.id > coalesce($4::bigint, 0))
order by d.id
limit $2::int
