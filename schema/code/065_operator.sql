-- SPDX-License-Identifier: Apache-2.0
-- What sladesk does to accounts for an operator: the same events, ended sessions and mails as by the API, and a row in the audit log.

-- P_BY: the operator's name in the operating system.
create or replace function operator_audit(p_tenant bigint, p_by text, p_operation text, p_resource text, p_at bigint) returns bigint language sql as $$
  select audit_operator(p_tenant, p_operation, p_resource, jsonb_build_object('operator', p_by), p_at)
$$;

-- Disable or enable an account (P_WHAT), or set its password to P_HASH. Tenant 1: staff. Returns its id; null if there is none of this name.
create or replace function operator_account(p_tenant bigint, p_username text, p_what text, p_hash text, p_must_change boolean, p_at bigint, p_by text)
returns bigint language plpgsql as $$
declare
  kind text := case p_tenant when 1 then 'staff' else 'customer' end;
  actor bigint;
  data jsonb := jsonb_build_object('by', 'sladesk', 'changed', 'is_active', 'address', 'sladesk');
begin
  select s.id into actor from staff s where p_tenant = 1 and s.tenant_id = 1 and s.username = p_username
  union all select u.id from client_users u where p_tenant > 1 and u.tenant_id = p_tenant and u.username = p_username;
  if actor is null then
    return null;
  end if;
  if p_what = 'password' then
    perform account_password(p_tenant, kind, actor, null, p_hash, p_must_change, p_at, 'password set by the operator', null, data - 'changed');
  else
    if kind = 'staff' then
      update staff s set disabled_at = case p_what when 'disable' then coalesce(s.disabled_at, ts(p_at)) end where s.tenant_id = 1 and s.id = actor;
    else
      update client_users u set disabled_at = case p_what when 'disable' then coalesce(u.disabled_at, ts(p_at)) end, updated_at = ts(p_at)
      where u.tenant_id = p_tenant and u.id = actor;
    end if;
    perform account_ends(p_tenant, kind, actor, 'auth.user_changed', 'auth_rights', p_at, data, 'rights changed', null, true);
  end if;
  perform operator_audit(p_tenant, p_by, 'users.' || p_what, kind || ' ' || p_username, p_at);
  return actor;
end
$$;

-- Suspend a customer, or end its suspension. The sessions of its users end; service tokens are refused while it lasts. Returns the tenant; null if
-- there is none of this code.
create or replace function operator_tenant_status(p_code text, p_status text, p_at bigint, p_by text) returns bigint language plpgsql as $$
declare
  t bigint;
  u bigint;
begin
  update customers c set status = p_status where c.code = p_code and c.tenant_id > 1 returning c.tenant_id into t;
  if t is null then
    return null;
  end if;
  if p_status = 'suspended' then
    for u in select distinct s.actor_id from sessions s where s.tenant_id = t and s.actor_kind = 'customer' and s.revoked_at is null loop
      perform account_ends(t, 'customer', u, 'auth.session_ended', null, p_at, '{}', 'customer suspended', null, true);
    end loop;
  end if;
  perform operator_audit(t, p_by, 'tenants.' || case p_status when 'suspended' then 'suspend' else 'resume' end, p_code, p_at);
  return t;
end
$$;

-- Let a member of staff serve all customers (P_ALL) or exactly those with these codes. Returns null, or what is wrong: 'staff' or 'customers'.
create or replace function operator_staff_serve(p_username text, p_all boolean, p_codes text[], p_at bigint, p_by text) returns text language plpgsql as $$
declare
  actor bigint;
  fault text;
begin
  select s.id into actor from staff s where s.tenant_id = 1 and s.username = p_username;
  if exists (select from unnest(p_codes) x where not exists (select from customers c where c.code = x and c.tenant_id > 1)) then
    return 'customers';
  end if;
  fault := staff_serve(null, actor, p_all, array(select c.tenant_id from customers c where c.code = any (p_codes)), p_at, 'sladesk');
  if fault is null then
    perform operator_audit(1, p_by, 'users.customers', 'staff ' || p_username, p_at);
  end if;
  return fault;
end
$$;
