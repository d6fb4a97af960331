-- catalogue/list: the catalogue entries that a tenant can use: its own and the built-in ones.
-- zh: 租户可用的目录项。
-- mode: read   shape: list   class: point
-- $1 kind  text  query.kind  optional in=service_type|department|project|contract|cost_centre|region|office|category|incident_type
-- returns tenant_id bigint, kind text, code text, name_zh text, name_en text, priority text, active boolean
select c.tenant_id, c.kind, c.code, c.name_zh, c.name_en, c.priority, c.active
from catalogue c
where ($1::text is null or c.kind = $1)
order by c.kind, c.code
limit 200
