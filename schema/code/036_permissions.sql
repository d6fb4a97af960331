-- SPDX-License-Identifier: Apache-2.0
-- The present permissions of a user: the set of the role and, for a customer's user, the grants and restrictions that are valid now.
create or replace function permissions_of(p_tenant bigint, p_kind text, p_actor bigint, p_role text, p_at bigint)
returns text[] language sql stable as $$
  with role as (
    select r.permissions from roles r where r.tenant_id in (p_tenant, 1) and r.kind = p_kind and r.role = p_role
    order by r.tenant_id desc limit 1
  ), own as (
    select c.resource_type || ':' || v.key as permission, v.value::boolean as allowed
    from client_permissions c, jsonb_each_text(c.permissions) v
    where p_kind = 'customer' and c.tenant_id = p_tenant and c.user_id = p_actor
      and c.valid_from <= ts(p_at) and (c.valid_to is null or c.valid_to > ts(p_at))
  )
  select coalesce(array_agg(x.permission order by x.permission), '{}') from (
    (select unnest(role.permissions) as permission from role union select o.permission from own o where o.allowed)
    except select o.permission from own o where not o.allowed) x
$$;

-- The visible part of the tenant's tickets as {"departments": […], "projects": […]}; null: all of them. A list without entries does not restrict.
create or replace function scope_of(p_tenant bigint, p_kind text, p_actor bigint, p_at bigint)
returns jsonb language sql stable as $$
  select case when count(c.data_scope) > 0 then jsonb_strip_nulls(jsonb_build_object(
    'departments', (select jsonb_agg(distinct d) from client_permissions x, jsonb_array_elements(x.data_scope -> 'departments') d
      where x.tenant_id = p_tenant and x.user_id = p_actor and x.valid_from <= ts(p_at) and (x.valid_to is null or x.valid_to > ts(p_at))),
    'projects', (select jsonb_agg(distinct d) from client_permissions x, jsonb_array_elements(x.data_scope -> 'projects') d
      where x.tenant_id = p_tenant and x.user_id = p_actor and x.valid_from <= ts(p_at) and (x.valid_to is null or x.valid_to > ts(p_at))))) end
  from client_permissions c
  where p_kind = 'customer' and c.tenant_id = p_tenant and c.user_id = p_actor
    and c.valid_from <= ts(p_at) and (c.valid_to is null or c.valid_to > ts(p_at))
$$;

-- Is a ticket of this department and project within a scope? Each list in the scope must contain the ticket's value.
create or replace function scope_ok(p_scope text, p_department text, p_project text)
returns boolean language sql immutable return
  (p_scope::jsonb -> 'departments' is null or coalesce(p_scope::jsonb -> 'departments' ? p_department, false))
  and (p_scope::jsonb -> 'projects' is null or coalesce(p_scope::jsonb -> 'projects' ? p_project, false));

-- May a customer's user read a ticket at P_AT? As the policies of tickets decide for requests; for what is sent without one.
create or replace function user_sees(p_tenant bigint, p_user bigint, p_role text, p_requester_kind text, p_requester bigint, p_department text,
  p_project text, p_at bigint)
returns boolean language sql stable as $$
  select 'ticket:read' = any (permissions_of(p_tenant, 'customer', p_user, p_role, p_at))
    and (p_requester_kind = 'customer' and p_requester = p_user
      or coalesce(scope_ok(scope_of(p_tenant, 'customer', p_user, p_at)::text, p_department, p_project), true))
$$;

drop function if exists masked_phone(text);
drop function if exists masked_mail(text);

-- Must a user with this role use a second factor?
create or replace function factor_required(p_tenant bigint, p_kind text, p_role text) returns boolean language sql stable as $$
  select coalesce((select c.mfa_required from customers c where c.tenant_id = p_tenant), false)
    or coalesce((select r.mfa_required from roles r where r.tenant_id in (p_tenant, 1) and r.kind = p_kind and r.role = p_role
      order by r.tenant_id desc limit 1), false)
$$;

-- What an administrator of this customer may do.
create or replace function admin_permissions(p_tenant bigint) returns text[] language sql stable as $$
  select r.permissions from roles r where r.tenant_id in (p_tenant, 1) and r.kind = 'customer' and r.role = 'admin'
  order by r.tenant_id desc limit 1
$$;

-- The names of a role of a tenant, whose own row goes before everybody's.
create or replace function role_named(p_tenant bigint, p_kind text, p_role text)
returns table (name_zh text, name_en text) language sql stable as $$
  select r.name_zh, r.name_en from roles r where r.tenant_id in (p_tenant, 1) and r.kind = p_kind and r.role = p_role
  order by r.tenant_id desc limit 1
$$;
