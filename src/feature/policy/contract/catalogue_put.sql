-- catalogue/put: add or change an entry of the caller's tenant.
-- zh: 新增或修改目录项。
-- mode: write   shape: object   class: point
-- $1 kind     text  path.kind     required in=service_type|department|project|contract|cost_centre|region|office|category|incident_type
-- $2 code     text  path.code     required len=1..100 like=tag
-- $3 name_zh  text  body.name_zh  required len=1..200
-- $4 name_en  text  body.name_en  required len=1..200
-- $5 active    bool  body.active    default=true
-- $6 priority  text  body.priority  in=P0|P1|P2|P3|P4
-- returns tenant_id bigint, kind text, code text, name_zh text, name_en text, active boolean, priority text, priority_label text
insert into catalogue (tenant_id, kind, code, name_zh, name_en, active, priority)
values ((select current_setting('app.current_tenant_id')::bigint), $1::text, $2::text, $3::text, $4::text, $5::bool, $6::text)
on conflict (tenant_id, kind, code) do update set name_zh = excluded.name_zh, name_en = excluded.name_en, active = excluded.active,
  priority = excluded.priority
returning tenant_id, kind, code, name_zh, name_en, active, priority, priority as priority_label
