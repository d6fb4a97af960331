-- SPDX-License-Identifier: Apache-2.0
-- What a command on a ticket may refer to. These functions alone know; desk_store() asks them for every command, whoever gives it, in the
-- transaction that stores it.

-- Does this member of staff exist, work here, and serve this tenant? A door, because staff limited to some customers do not see the others.
create or replace function door.staff_serves(p_staff bigint, p_tenant bigint)
returns boolean language sql stable security definer set search_path = public, pg_temp as $$
  select exists (select from public.staff s
    where s.tenant_id = 1 and s.id = p_staff and s.disabled_at is null
      and (s.serves_all or p_tenant = 1 or exists (select from public.staff_tenants x where x.tenant_id = p_tenant and x.staff_id = s.id)))
$$;

-- Is a chain of parents that begins at P_PARENT free of P_TICKET, and with what hangs below that, short enough? Null: yes. Otherwise the rule.
create or replace function parent_chain_fault(p_tenant bigint, p_ticket bigint, p_parent bigint)
returns text language sql stable as $$
  with recursive up(id, parent_id, n) as (
    select t.id, t.parent_id, 1 from tickets t where t.tenant_id = p_tenant and t.id = p_parent
    union all
    select t.id, t.parent_id, u.n + 1 from up u join tickets t on t.tenant_id = p_tenant and t.id = u.parent_id where u.n < 9 and u.id <> p_ticket
  ), down(id, n) as (
    select p_ticket, 1
    union all
    select t.id, d.n + 1 from down d join tickets t on t.tenant_id = p_tenant and t.parent_id = d.id where d.n < 9
  )
  select case when exists (select from up where up.id = p_ticket) then 'parent_loop'
    when (select max(up.n) from up) + (select max(down.n) from down) > 8 then 'parent_deep' end
$$;

-- P_REFS: {"assignee": id, "owner": id, "requester": id, "parent": id, "merge": true}, each optional. Null: all of them may be used. Otherwise the rule that
-- one of them breaks, as src/desk/reference.c lists them. Changes of parents come one after another in a tenant, or two at once would close a loop.
create or replace function reference_fault(p_tenant bigint, p_ticket bigint, p_refs jsonb)
returns text language plpgsql as $$
declare
  parent bigint := (p_refs ->> 'parent')::bigint;
  state text;
begin
  if p_refs ? 'assignee' and not door.staff_serves((p_refs ->> 'assignee')::bigint, p_tenant) then
    return 'assignee';
  end if;
  if p_refs ? 'owner' and not door.staff_serves((p_refs ->> 'owner')::bigint, p_tenant) then
    return 'owner';
  end if;
  if p_refs ? 'requester' and not exists (select from client_users u
      where u.tenant_id = p_tenant and u.id = (p_refs ->> 'requester')::bigint and u.disabled_at is null) then
    return 'requester';
  end if;
  if parent is null then
    return case when p_refs ? 'merge' then 'parent_none' end;
  elsif parent = p_ticket then
    return 'parent_self';
  end if;
  perform pg_advisory_xact_lock(7337, (p_tenant % 2147483647)::int);
  select t.status into state from tickets t where t.tenant_id = p_tenant and t.id = parent for share;
  return case when state is null then 'parent'
    when state in ('cancelled', 'merged') then 'parent_ended'
    when p_refs ? 'merge' then case when state in ('resolved', 'closed') then 'parent_not_open' end -- the link was checked when it was made
    else parent_chain_fault(p_tenant, p_ticket, parent) end;
end
$$;
