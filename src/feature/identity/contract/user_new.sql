-- user/new: create a user of a customer; the first password must be changed, and the user gets a mail with a link that confirms the address, in the customer's language if none is named.
-- mode: write   shape: rows   class: point
-- $1 doc   json    call.doc   required
-- $2 hash  text    call.hash  required
-- $3 now   bigint  call.now   required
-- $4 by    text    call.by    required
-- $5 home  text    call.home  required
-- $6 giver text    call.giver required
-- $7 grants   json    call.grants   required
-- $8 by_kind  text    call.by_kind  required
-- $9 by_id    bigint  call.by_id    required
with u as (
  insert into client_users (tenant_id, id, username, full_name, email, email_index, phone, lang, role_type, department, project, contract, cost_centre, region, office,
    password_hash, must_change, created_at, address_given_at)
  select (select current_setting('app.current_tenant_id')::bigint), d.id, d.username, d.full_name, d.email, d.email_index, d.phone, coalesce(d.lang, c.lang),
    coalesce(d.role_type, 'user'), d.department, d.project, d.contract, d.cost_centre, d.region, d.office, $2::text, true, ts($3::bigint), ts($3::bigint)
  from (select set_config('app.giver', $6::text, true)) g, customers c, jsonb_to_record($1::jsonb) as d(id bigint, username text, full_name text, email text, email_index text, phone text, lang text, role_type text, department text,
    project text, contract text, cost_centre text, region text, office text)
  where c.tenant_id = (select current_setting('app.current_tenant_id')::bigint)
  returning tenant_id, id, username
), i as (
  insert into client_permissions (tenant_id, user_id, resource_type, permissions, data_scope, valid_from, valid_to, created_by_kind, created_by, created_at)
  select u.tenant_id, u.id, g.resource_type, g.permissions, g.data_scope, ts(coalesce(g.valid_from, $3::bigint)), ts(g.valid_to), $8::text, $9::bigint,
    ts($3::bigint)
  from u, jsonb_to_recordset($7::jsonb) as g(resource_type text, permissions jsonb, data_scope jsonb, valid_from bigint, valid_to bigint)
)
select u.id, account_event(u.tenant_id, 'customer', u.id, 'auth.user_invited', 'auth_invited', $3::bigint,
  jsonb_build_object('by', $4::text, 'username', u.username, 'home', $5::text, 'reset_id', door.address_link(u.tenant_id, u.id, $3::bigint))) as told
from u
