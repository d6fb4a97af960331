-- SPDX-License-Identifier: Apache-2.0
-- Nobody gives more than they hold. Whoever changes a customer's user through the API (role sladesk_app) must hold everything that the user may
-- do afterwards, now and at every instant at which the rights of one of them change; the triggers below check this before the commit, so that no
-- statement can leave it out. The statement says who gives: app.giver, {"kind", "id", "permissions", "now"}.
create or replace function scope_within(p_inner jsonb, p_outer jsonb)
returns boolean language sql immutable return
  p_outer is null or (p_inner is not null
    and (p_outer -> 'departments' is null or coalesce((p_inner -> 'departments') <@ (p_outer -> 'departments'), false))
    and (p_outer -> 'projects' is null or coalesce((p_inner -> 'projects') <@ (p_outer -> 'projects'), false)));

-- The part of the rights of a user with this role that the giver does not hold: 'permissions', 'data_scope', or null.
create or replace function grant_fault(p_tenant bigint, p_giver jsonb, p_target bigint, p_role text)
returns text language plpgsql stable as $$
declare
  by_user boolean := p_giver ->> 'kind' = 'customer';
  giver bigint := (p_giver ->> 'id')::bigint;
  giver_role text;
  held text[] := array(select jsonb_array_elements_text(p_giver -> 'permissions'));
  held_scope jsonb := nullif(current_setting('app.scope'), '')::jsonb;
  at bigint;
begin
  if by_user then
    select u.role_type into giver_role from client_users u where u.tenant_id = p_tenant and u.id = giver;
  end if;
  for at in
    select (p_giver ->> 'now')::bigint
    union
    select x.at from client_permissions c cross join lateral (values (us(c.valid_from)), (us(c.valid_to))) x(at)
    where c.tenant_id = p_tenant and (c.user_id = p_target or (by_user and c.user_id = giver)) and x.at > (p_giver ->> 'now')::bigint
  loop
    if by_user then
      held := permissions_of(p_tenant, 'customer', giver, giver_role, at);
      held_scope := scope_of(p_tenant, 'customer', giver, at);
    end if;
    if not permissions_of(p_tenant, 'customer', p_target, p_role, at) <@ held then
      return 'permissions';
    elsif not scope_within(scope_of(p_tenant, 'customer', p_target, at), held_scope) then
      return 'data_scope';
    end if;
  end loop;
  return null;
end
$$;

create or replace function rights_guard() returns trigger language plpgsql as $$
declare
  giver jsonb := nullif(current_setting('app.giver', true), '')::jsonb;
  tenant bigint;
  target bigint;
  target_role text;
  fault text;
begin
  if current_user <> 'sladesk_app' then
    return null;
  elsif tg_op = 'DELETE' then
    tenant := old.tenant_id;
    target := old.user_id;
  elsif tg_table_name = 'client_users' then
    tenant := new.tenant_id;
    target := new.id;
  else
    tenant := new.tenant_id;
    target := new.user_id;
  end if;
  if giver is null then
    fault := 'giver';
  elsif giver ->> 'kind' = 'customer' and (giver ->> 'id')::bigint = target then
    if tg_table_name = 'client_users' then -- plpgsql must not look for these columns in the other table
      if (old.role_type, old.disabled_at) is not distinct from (new.role_type, new.disabled_at) then
        return null;
      end if;
    end if;
    fault := 'self';
  elsif current_setting('app.rights_of', true) = target::text then
    return null; -- another row of the same change; all of them were looked at together
  else
    select u.role_type into target_role from client_users u where u.tenant_id = tenant and u.id = target;
    fault := grant_fault(tenant, giver, target, target_role);
    if fault is null and tg_table_name = 'client_users' and tg_op = 'UPDATE' then
      fault := grant_fault(tenant, giver, target, old.role_type);
    end if;
    perform set_config('app.rights_of', target::text, true);
  end if;
  if fault is not null then
    raise exception 'more than the giver holds: %', fault using errcode = '42501', constraint = 'rights_' || fault;
  end if;
  return null;
end
$$;

drop trigger if exists rights_guard on client_users;
create constraint trigger rights_guard after insert or update of role_type, disabled_at, email, phone, password_hash on client_users
  deferrable initially deferred for each row execute function rights_guard();
drop trigger if exists rights_guard on client_permissions;
create constraint trigger rights_guard after insert or update or delete on client_permissions
  deferrable initially deferred for each row execute function rights_guard();

-- Let a member of staff serve all customers (P_ALL) or exactly P_TENANTS. P_GIVER as above; null: the operator. Nobody changes their own list, or
-- that of somebody who may do more, and both lists, the former and the new one, lie within the giver's. Whose list changes must log in again and
-- is notified. Returns null, or what is wrong: 'staff' (there is none), 'self', 'permissions', 'customers'.
create or replace function staff_serve(p_giver jsonb, p_staff bigint, p_all boolean, p_tenants bigint[], p_at bigint, p_by text)
returns text language plpgsql as $$
declare
  giver bigint := (p_giver ->> 'id')::bigint;
  giver_all boolean := p_giver is null;
  target staff;
  old bigint[];
  wanted bigint[] := case when p_all then '{}' else array(select distinct x from unnest(p_tenants) x order by x) end;
begin
  perform from staff s where s.tenant_id = 1 and s.id in (p_staff, giver) order by s.id for update; -- in one order: two may change each other's
  select s.* into target from staff s where s.tenant_id = 1 and s.id = p_staff;
  if target.id is null then
    return 'staff';
  elsif giver = p_staff then
    return 'self';
  end if;
  old := array(select x.tenant_id from staff_tenants x where x.staff_id = p_staff order by 1);
  if p_giver is not null then
    select s.serves_all into giver_all from staff s where s.tenant_id = 1 and s.id = giver and s.disabled_at is null;
    if not permissions_of(1, 'staff', p_staff, target.role, p_at) <@ array(select jsonb_array_elements_text(p_giver -> 'permissions')) then
      return 'permissions';
    end if;
  end if;
  if exists (select from unnest(wanted) w where not exists (select from customers c where c.tenant_id = w and c.tenant_id > 1))
    or not coalesce(giver_all, false) and (p_all or target.serves_all
      or not old || wanted <@ array(select m.tenant_id from staff_tenants m where m.staff_id = giver)) then
    return 'customers';
  elsif p_all = target.serves_all and wanted = old then
    return null;
  end if;
  update staff s set serves_all = p_all where s.tenant_id = 1 and s.id = p_staff;
  delete from staff_tenants x where x.staff_id = p_staff and x.tenant_id <> all (wanted);
  insert into staff_tenants (tenant_id, staff_id) select w, p_staff from unnest(wanted) w on conflict do nothing;
  perform account_ends(1, 'staff', p_staff, 'auth.user_changed', 'auth_rights', p_at, jsonb_build_object('by', p_by, 'changed', 'customers',
    'customers', case when p_all then 'all' else coalesce((select string_agg(c.code, ', ' order by c.code) from customers c where c.tenant_id = any (wanted)), '-')
    end), 'rights changed', null, false);
  return null;
end
$$;
