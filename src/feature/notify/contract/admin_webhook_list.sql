-- admin/webhook_list: the tenant's webhooks, without their secrets.
-- zh: 租户的 webhook。
-- mode: read   shape: list   class: point
-- returns id bigint, tenant_id bigint, url text, event_types text[], active boolean, created_at timestamptz, off_at timestamptz, off_reason text
select w.id, w.tenant_id, w.url, w.event_types, w.active, w.created_at, w.off_at, w.off_reason
from webhooks w
order by w.id
limit 200
