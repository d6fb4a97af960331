-- catalogue/put: add or change an entry of the caller's tenant.
-- zh: 新增或修改目录项。
-- mode: write   shape: object   class: point
-- $1 kind     text  path.kind     required in=service_type|department|project|contract|cost_centre|region|office|category
-- $2 code     text  path.code     required len=1..100 like=tag
-- $3 name_zh  text  body.name_zh  required len=1..200
-- $4 name_en  text  body.name_en  required len=1..200
-- $5 active   bool  body.active   default=true
-- returns tenant_id bigint, kind text, code text, name_zh text, name_en text, active boolean
insert into catalogue (tenant_id, kind, code, name_zh, name_en, active)
values ((select current_setting('app.current_tenant_id')::bigint), $1::text, $2::text, $3::text, $4::text, $5::bool)
on conflict (tenant_id, kind, code) do update set name_zh = excluded.name_zh, name_en = excluded.name_en, active = excluded.active
returning tenant_id, kind, code, name_zh, name_en, active
