-- catalogue/list: the catalogue entries that a tenant can use: its own and the built-in ones.
-- zh: 租户可用的目录项。
-- mode: read   shape: list   class: point   cursor: entry_id entry_id
-- $1 kind  text  query.kind  optional in=service_type|department|project|contract|cost_centre|region|office|category|incident_type
-- $2 limit      int     query.limit  default=200 range=1..200
-- $3 cursor_at  bigint  cursor.0     optional
-- $4 cursor_id  bigint  cursor.1     optional
-- returns entry_id bigint, tenant_id bigint, kind text, code text, name_zh text, name_en text, priority text, priority_label text, active boolean
select c.id as entry_id, c.tenant_id, c.kind, c.code, c.name_zh, c.name_en, c.priority, c.priority as priority_label, c.active
from catalogue c
where ($1::text is null or c.kind = $1) and ($3::bigint is null or c.id > coalesce($4::bigint, 0))
order by c.id
limit $2::int
