-- sla/calendar_list: every version of the calendars of the caller's tenants and of the built-in calendars.
-- zh: 日历的全部版本。
-- mode: read   shape: list   class: point
-- returns id bigint, tenant_id bigint, code text, version integer, doc jsonb, replaced_by bigint, created_at timestamptz
select k.id, k.tenant_id, k.code, k.version, k.doc, k.replaced_by, k.created_at
from calendars k
order by k.code, k.version
limit 200
