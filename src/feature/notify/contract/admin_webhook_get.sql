-- admin/webhook_get: one webhook, without its secret.
-- zh: 单个 webhook。
-- mode: read   shape: object   class: point
-- $1 id  bigint  path.id  required range=1..9007199254740991
-- returns id bigint, tenant_id bigint, url text, active boolean, created_at timestamptz, off_at timestamptz, off_reason text
select w.id, w.tenant_id, w.url, w.active, w.created_at, w.off_at, w.off_reason
from webhooks w
where w.id = $1::bigint and w.tenant_id = any ((select current_setting('app.current_tenants')::bigint[])::bigint[])
