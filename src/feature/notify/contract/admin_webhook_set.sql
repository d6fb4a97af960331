-- admin/webhook_set: switch a webhook on or off.
-- zh: 启用或停用 webhook。
-- mode: write   shape: object   class: point
-- $1 id      bigint  path.id      required range=1..9007199254740991
-- $2 active  bool    body.active  required
-- returns id bigint, tenant_id bigint, url text, active boolean, created_at timestamptz, off_at timestamptz, off_reason text
update webhooks set active = $2::bool, off_at = case when not $2::bool then off_at end, off_reason = case when not $2::bool then off_reason end
where id = $1::bigint and tenant_id = (select current_setting('app.current_tenant_id')::bigint)
returning id, tenant_id, url, active, created_at, off_at, off_reason
