-- admin/webhook_list: the tenant's webhooks, without their secrets.
-- zh: 租户的 webhook。
-- mode: read   shape: list   class: point
-- returns id bigint, tenant_id bigint, url text, event_types text[], active boolean, created_at timestamptz
select w.id, w.tenant_id, w.url, w.event_types, w.active, w.created_at
from webhooks w
order by w.id
limit 200
