-- admin/webhook_list: the tenant's webhooks, without their secrets.
-- zh: 租户的 webhook。
-- mode: read   shape: list   class: point   cursor: id id
-- $1 limit      int     query.limit  default=200 range=1..200
-- $2 cursor_at  bigint  cursor.0     optional
-- $3 cursor_id  bigint  cursor.1     optional
-- returns id bigint, tenant_id bigint, url text, event_types text[], active boolean, created_at timestamptz, off_at timestamptz, off_reason text
select w.id, w.tenant_id, w.url, w.event_types, w.active, w.created_at, w.off_at, w.off_reason
from webhooks w
where $2::bigint is null or w.id > coalesce($3::bigint, 0)
order by w.id
limit $1::int
