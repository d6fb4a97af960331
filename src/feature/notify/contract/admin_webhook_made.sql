-- admin/webhook_made: a webhook as it was when it was registered. Only its state changes later.
-- zh: 登记时的 webhook。
-- mode: read   shape: object   class: point
-- $1 id  bigint  call.id  required
-- returns id bigint, tenant_id bigint, url text, active boolean, created_at timestamptz, off_at timestamptz, off_reason text
select w.id, w.tenant_id, w.url, true as active, w.created_at, null::timestamptz as off_at, null::text as off_reason
from webhooks w
where w.id = $1::bigint and w.tenant_id = (select current_setting('app.current_tenant_id')::bigint)
