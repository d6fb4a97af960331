-- user/set: change one of a customer's users. The last administrator keeps role and state. A user who gains or loses rights must log in again and is notified. A new address must be confirmed by
-- the link that is mailed to it, and the old one ($7) is told.
-- mode: write   shape: rows   class: point
-- $1 user_id  bigint  call.user_id  required
-- $2 doc      json    call.doc      required
-- $3 now      bigint  call.now      required
-- $4 by       text    call.by       required
-- $5 changed  text    call.changed  required
-- $6 giver    text    call.giver    required
-- $7 address  text    call.address  optional
with d as materialized (
  select d.* from (select set_config('app.giver', $6::text, true)) g, jsonb_to_record($2::jsonb) as d(full_name text, email text, email_index text, phone text, lang text, role_type text, is_active boolean, department text,
    project text, contract text, cost_centre text, region text, office text)
), admins as materialized ( -- all of them are locked in one order, so that two administrators cannot remove each other's rights
  select u.id from client_users u
  where u.tenant_id = (select current_setting('app.current_tenant_id')::bigint) and u.role_type = 'admin' and u.disabled_at is null
  order by u.id
  for update
), old as materialized (
  select u.tenant_id, u.id, u.username, u.role_type, u.disabled_at, u.address_given_at, d.email_index is not null as named,
    d.email_index is not null and left(d.email_index, 64) is distinct from left(u.email_index, 64) as moved
  from client_users u cross join d
  where u.tenant_id = (select current_setting('app.current_tenant_id')::bigint) and u.id = $1::bigint and (select count(*) from admins) >= 0
  for update
), judged as materialized (
  select old.*, d.role_type is not null and d.role_type <> old.role_type or d.is_active is not null and d.is_active <> (old.disabled_at is null) as rights,
    old.role_type = 'admin' and old.disabled_at is null and (coalesce(d.role_type, 'admin') <> 'admin' or not coalesce(d.is_active, true))
      and not exists (select from admins a where a.id <> old.id) as last_admin
  from old, d
), u as (
  update client_users x set full_name = coalesce(d.full_name, x.full_name), email = coalesce(d.email, x.email),
    email_index = coalesce(d.email_index, x.email_index),
    address_given_at = case when j.moved then ts($3::bigint) else x.address_given_at end, phone = coalesce(d.phone, x.phone),
    lang = coalesce(d.lang, x.lang), role_type = coalesce(d.role_type, x.role_type), department = coalesce(d.department, x.department),
    project = coalesce(d.project, x.project), contract = coalesce(d.contract, x.contract), cost_centre = coalesce(d.cost_centre, x.cost_centre),
    region = coalesce(d.region, x.region), office = coalesce(d.office, x.office),
    disabled_at = case when d.is_active then null when not d.is_active then coalesce(x.disabled_at, ts($3::bigint)) else x.disabled_at end,
    updated_at = ts($3::bigint)
  from judged j, d where x.tenant_id = j.tenant_id and x.id = j.id and not j.last_admin
  returning x.tenant_id, x.id, j.rights
)
select j.last_admin, case when j.last_admin then null
  when u.rights then account_ends(j.tenant_id, 'customer', j.id, 'auth.user_changed', 'auth_rights', $3::bigint,
    jsonb_strip_nulls(jsonb_build_object('by', $4::text, 'changed', $5::text, 'role_was_zh', w.name_zh, 'role_was_en', w.name_en, 'role_zh', r.name_zh,
      'role_en', r.name_en, 'state', case when d.is_active <> (j.disabled_at is null) then case when d.is_active then 'on' else 'off' end end)),
    'rights changed', null, false)
  else account_event(j.tenant_id, 'customer', j.id, 'auth.user_changed', null, $3::bigint,
    jsonb_build_object('by', $4::text, 'changed', $5::text, 'sessions', '[]'::jsonb)) end as told,
  case when u.id is not null and (j.moved or j.named and j.address_given_at is not null) then
    account_event(j.tenant_id, 'customer', j.id, 'auth.address_given', 'auth_address', $3::bigint,
      jsonb_build_object('by', $4::text, 'username', j.username, 'reset_id', door.address_link(j.tenant_id, j.id, $3::bigint))) end as linked,
  case when u.id is not null and j.moved and j.address_given_at is null and $7::text is not null then
    account_event(j.tenant_id, 'customer', j.id, 'auth.address_changed', 'auth_address_old', $3::bigint,
      jsonb_build_object('by', $4::text, 'username', j.username, 'step', 'address', 'code', $7::text)) end as told_old
from judged j cross join d left join u on true
left join lateral role_named(j.tenant_id, 'customer', j.role_type) w on d.role_type <> j.role_type
left join lateral role_named(j.tenant_id, 'customer', d.role_type) r on d.role_type <> j.role_type
