-- sla/calendar_list: every version of the calendars of the caller's tenants and of the built-in calendars.
-- zh: 日历的全部版本。
-- mode: read   shape: list   class: point   cursor: id id
-- $1 limit      int     query.limit  default=200 range=1..200
-- $2 cursor_at  bigint  cursor.0     optional
-- $3 cursor_id  bigint  cursor.1     optional
-- returns id bigint, tenant_id bigint, code text, version integer, doc jsonb, replaced_by bigint, created_at timestamptz
select k.id, k.tenant_id, k.code, k.version, k.doc, k.replaced_by, k.created_at
from calendars k
where $2::bigint is null or k.id > coalesce($3::bigint, 0)
order by k.id
limit $1::int
