-- user/grants_put: replace a user's grants and restrictions; the user must log in again and is notified.
-- mode: write   shape: rows   class: point
-- $1 user_id  bigint  call.user_id  required
-- $2 grants   json    call.grants   required
-- $3 now      bigint  call.now      required
-- $4 by_kind  text    call.by_kind  required
-- $5 by_id    bigint  call.by_id    required
-- $6 by       text    call.by       required
-- $7 giver    text    call.giver    required
with u as materialized (
  select u.tenant_id, u.id from (select set_config('app.giver', $7::text, true)) g, client_users u
  where u.tenant_id = (select current_setting('app.current_tenant_id')::bigint) and u.id = $1::bigint
  for update of u
), was as materialized (
  select c.resource_type || ':' || p.key as item, p.value from u join client_permissions c on c.tenant_id = u.tenant_id and c.user_id = u.id
  cross join lateral jsonb_each_text(c.permissions) p
), becomes as materialized (
  select g.resource_type || ':' || p.key as item, p.value from jsonb_to_recordset($2::jsonb) as g(resource_type text, permissions jsonb)
  cross join lateral jsonb_each_text(g.permissions) p
), told as materialized (
  select (select string_agg(b.item, ',' order by b.item) from becomes b where b.value = 'true'
      and not exists (select from was w where w.item = b.item and w.value = 'true')) as given,
    (select string_agg(b.item, ',' order by b.item) from becomes b where b.value = 'false'
      and not exists (select from was w where w.item = b.item and w.value = 'false')) as forbidden,
    (select string_agg(w.item, ',' order by w.item) from was w where not exists (select from becomes b where b.item = w.item)) as lifted,
    (select jsonb_agg(distinct c.data_scope) from u join client_permissions c on c.tenant_id = u.tenant_id and c.user_id = u.id where c.data_scope is not null)
      is distinct from (select jsonb_agg(distinct g.data_scope) from jsonb_to_recordset($2::jsonb) as g(data_scope jsonb)
        where jsonb_typeof(g.data_scope) = 'object') as scope_changed
), d as (
  delete from client_permissions c using u where c.tenant_id = u.tenant_id and c.user_id = u.id
), i as (
  insert into client_permissions (tenant_id, user_id, resource_type, permissions, data_scope, valid_from, valid_to, created_by_kind, created_by, created_at)
  select u.tenant_id, u.id, g.resource_type, g.permissions, g.data_scope, ts(coalesce(g.valid_from, $3::bigint)), ts(g.valid_to), $4::text, $5::bigint,
    ts($3::bigint)
  from u, jsonb_to_recordset($2::jsonb) as g(resource_type text, permissions jsonb, data_scope jsonb, valid_from bigint, valid_to bigint)
)
select u.id, account_ends(u.tenant_id, 'customer', u.id, 'auth.user_changed', 'auth_rights', $3::bigint,
  jsonb_strip_nulls(jsonb_build_object('by', $6::text, 'changed', 'permissions', 'given', t.given, 'forbidden', t.forbidden, 'lifted', t.lifted,
    'scope_changed', t.scope_changed)), 'rights changed', null, false) as told
from u cross join told t
