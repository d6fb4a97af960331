-- dashboard/remove: delete one of my dashboards.
-- zh: 删除我的仪表板。
-- mode: write   shape: object   class: point
-- $1 config_id  bigint  path.config_id  required range=1..9007199254740991
-- $2 user_id    bigint  session.customer    required
-- returns config_id bigint
delete from dashboard_configs d
where d.tenant_id = (select current_setting('app.current_tenant_id')::bigint) and d.id = $1::bigint and d.user_id = $2::bigint
returning d.id as config_id
