-- dashboard/store: create a dashboard (no id), or change one by its owner under its version; a new default replaces the old one.
-- mode: write   shape: rows   class: point
-- $1 id         bigint  call.id         optional
-- $2 user_id    bigint  call.user_id    required
-- $3 name       text    call.name       required
-- $4 layout     json    call.layout     required
-- $5 dflt       bool    call.dflt       required
-- $6 shared     bool    call.shared     required
-- $7 version    bigint  call.version    optional
-- $8 now        bigint  call.now        required
with o as (
  update dashboard_configs d set is_default = false
  where $5::bool and d.tenant_id = (select current_setting('app.current_tenant_id')::bigint) and d.user_id = $2::bigint and d.is_default
    and d.id is distinct from $1::bigint
  returning d.id
), n as (
  insert into dashboard_configs (tenant_id, user_id, dashboard_name, layout_config, is_default, is_shared, created_at, updated_at)
  select (select current_setting('app.current_tenant_id')::bigint), $2::bigint, $3::text, $4::jsonb, $5::bool and (select count(*) from o) >= 0, $6::bool,
    ts($8::bigint), ts($8::bigint)
  where $1::bigint is null
  returning id, version
), u as (
  update dashboard_configs d set dashboard_name = $3::text, layout_config = $4::jsonb, is_default = $5::bool and (select count(*) from o) >= 0,
    is_shared = $6::bool, version = d.version + 1, updated_at = ts($8::bigint)
  where d.tenant_id = (select current_setting('app.current_tenant_id')::bigint) and d.id = $1::bigint and d.user_id = $2::bigint
    and ($7::bigint is null or d.version = $7::bigint)
  returning d.id, d.version
)
select x.id, x.version, exists (select from dashboard_configs d where d.tenant_id = (select current_setting('app.current_tenant_id')::bigint)
  and d.id = $1::bigint and d.user_id = $2::bigint) as known
from (select id, version from n union all select id, version from u
  union all select null, null where $1::bigint is not null and not exists (select from u)) x
