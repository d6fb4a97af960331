-- dashboard/get: one of my dashboards, or one that is shared.
-- zh: 单个仪表板。
-- mode: read   shape: object   class: point
-- $1 config_id  bigint  path.config_id  required range=1..9007199254740991
-- $2 user_id    bigint  session.customer    required
-- returns config_id bigint, dashboard_name text, layout_config jsonb, widget_configs jsonb, is_default boolean, is_shared boolean, mine boolean, version bigint,
-- returns created_at timestamptz, updated_at timestamptz
select d.id as config_id, d.dashboard_name, d.layout_config, widget_configs(d.layout_config) as widget_configs, d.is_default, d.is_shared, d.user_id = $2::bigint as mine, d.version, d.created_at,
  d.updated_at
from dashboard_configs d
where d.tenant_id = any ((select current_setting('app.current_tenants')::bigint[])::bigint[]) and d.id = $1::bigint
  and (d.user_id = $2::bigint or d.is_shared)
limit 1
