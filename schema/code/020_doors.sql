-- SPDX-License-Identifier: Apache-2.0
-- Security-definer functions for requests whose tenant is not known yet, and for changes by a customer that must reach the provider's staff.
-- Each returns at most ids, names and a hash, and has a pinned search_path.
create schema if not exists door;

-- The account that may log in under this name in this tenant (1: staff).
create or replace function door.login(p_tenant text, p_username text)
returns table (tenant_id bigint, subject_id bigint, hash text) language sql stable security definer set search_path = public, pg_temp as $$
  select s.tenant_id, s.id, s.password_hash from public.staff s
    where p_tenant = 'provider' and s.username = p_username and s.disabled_at is null
  union all
  select u.tenant_id, u.id, u.password_hash from public.client_users u join public.customers c on c.tenant_id = u.tenant_id
    where p_tenant <> 'provider' and c.tenant_id = public.tenant_named(p_tenant) and c.status = 'active'
      and u.username = p_username and u.disabled_at is null
$$;

-- The account that a mail address stands for: of the named tenant ("provider", its number, code or "host:" and host name), or of all if none is named,
-- where one account alone has the address: one of staff goes before those of customers, and no customer's counts whose domain another has proved, so
-- that nobody takes an address from others, or learns that they have it, by entering it as a user's. No row where the text is a user name of the named
-- tenant.
create or replace function door.login_mail(p_tenant text, p_username text, p_index text)
returns table (tenant text, username text) language sql stable security definer set search_path = public, pg_temp as $$
  with w as materialized (
    select case when p_tenant = 'provider' then 1 when p_tenant is not null then coalesce(public.tenant_named(p_tenant), 0 - (p_tenant like 'host:%')::int) end as named
  ), n as materialized ( -- a host name that is no customer's names nobody
    select nullif(w.named, -1) as named from w
  ), found as materialized (
    select 'provider' as tenant, s.username from n, public.staff s
    where coalesce(n.named, 1) = 1 and s.tenant_id = 1 and substr(s.email_index, 65) = p_index and s.disabled_at is null
    union all
    select u.tenant_id::text, u.username from n, public.client_users u join public.customers c on c.tenant_id = u.tenant_id
    where substr(u.email_index, 65) = p_index and u.tenant_id = coalesce(n.named, u.tenant_id) and u.tenant_id > 1
      and u.disabled_at is null and c.status = 'active' and u.address_given_at is null -- an address that its owner has not confirmed names nobody
      and (n.named is not null or not exists (select from public.mail_domains d
        where d.domain = substr(p_username, strpos(p_username, '@') + 1) and d.verified_at is not null and d.tenant_id <> u.tenant_id))
  ), first as materialized (
    select f.tenant, f.username from found f
    where f.tenant = 'provider' or not exists (select from found s where s.tenant = 'provider')
  )
  select f.tenant, f.username from n, first f
  where (select count(*) from first) = 1
    and not exists (select from public.staff s where coalesce(n.named, 1) = 1 and s.tenant_id = 1 and s.username = p_username)
    and not exists (select from public.client_users u where u.tenant_id = n.named and u.username = p_username)
$$;

-- A link by which the owner of a mail address that is given to a user of the caller's customer confirms it, for seven days; earlier ones end.
create or replace function door.address_link(p_tenant bigint, p_user bigint, p_at bigint) returns bigint
language sql security definer set search_path = public, pg_temp as $$
  update password_resets r set used_at = ts(p_at)
  where r.tenant_id = p_tenant and r.actor_kind = 'customer' and r.actor_id = p_user and r.purpose = 'address' and r.used_at is null
    and r.tenant_id = (select current_setting('app.current_tenant_id')::bigint);
  insert into password_resets (tenant_id, actor_kind, actor_id, asked_at, purpose)
  select p_tenant, 'customer', p_user, ts(p_at), 'address'
  where p_tenant = (select current_setting('app.current_tenant_id')::bigint)
  returning id
$$;

-- The name of who did something on a tenant's ticket: its own user, or a member of staff, whom the tenant cannot read otherwise. Only for who may
-- see that tenant: a door must not be a way around row-level security.
create or replace function door.person_name(p_tenant bigint, p_kind text, p_id bigint)
returns text language sql stable security definer set search_path = public, pg_temp as $$
  select case p_kind
    when 'staff' then (select s.full_name from public.staff s where s.tenant_id = 1 and s.id = p_id)
    when 'customer' then (select u.full_name from public.client_users u where u.tenant_id = p_tenant and u.id = p_id) end
  where p_tenant = any (current_setting('app.current_tenants')::bigint[])
$$;

-- Who is responsible for a root-cause analysis: the manager on duty, or the first manager; without one, a supervisor or an administrator.
create or replace function door.rca_owner(p_tenant bigint) returns bigint
language sql stable security definer set search_path = public, pg_temp as $$
  select s.id from public.staff s
  where s.tenant_id = 1 and s.disabled_at is null and s.role in ('manager', 'supervisor', 'admin')
    and (s.serves_all or exists (select from public.staff_tenants x where x.tenant_id = p_tenant and x.staff_id = s.id))
  order by array_position(array['manager', 'supervisor', 'admin'], s.role), not s.on_call, s.id
  limit 1
$$;

-- The ids of the members of a recipient group of a tenant. One short query for each kind of group: starting a long query costs more than running it.
create or replace function door.recipients(p_group text, p_tenant bigint, p_type text, p_level int)
returns table (recipient_kind text, recipient_id bigint) language plpgsql stable security definer set search_path = public, pg_temp as $$
begin -- plpgsql caches its plans; an SQL function would be parsed at each call
  if p_group = 'webhook' then
    return query
    select 'webhook', w.id from public.webhooks w
    where w.tenant_id = p_tenant and w.active and (w.event_types = '{}' or p_type = any (w.event_types));
    return;
  elsif p_group in ('customer_contacts', 'customer_admins') then
    return query
    select 'customer', u.id from public.client_users u where u.tenant_id = p_tenant and u.role_type = 'admin' and u.disabled_at is null
    union all
    select 'contact', c.id from public.contacts c where p_group = 'customer_contacts' and c.tenant_id = p_tenant and c.email is not null;
    return;
  end if;
  return query
  select 'staff', s.id from public.staff s
  where s.disabled_at is null
    and (s.serves_all or exists (select from public.staff_tenants x where x.tenant_id = p_tenant and x.staff_id = s.id))
    and case p_group
      when 'team' then s.role = 'engineer' and s.level = 1
      when 'next_level' then s.role = 'engineer' and s.level = least(p_level + 1, 3)
      when 'level' then s.role = 'engineer' and s.level = least(p_level, 3)
      when 'on_call' then s.role = 'engineer' and s.on_call
      when 'manager' then s.role = 'manager'
      when 'success' then s.role = 'customer_success'
      else false end;
  -- A group without members raises an alarm: the message goes to the managers and, if there are none, to everybody who serves the tenant.
  if not found and p_group in ('team', 'next_level', 'level', 'on_call') then
    return query
    select 'staff', s.id from public.staff s
    where s.disabled_at is null
      and (s.serves_all or exists (select from public.staff_tenants x where x.tenant_id = p_tenant and x.staff_id = s.id))
      and (s.role = 'manager' or not exists (select from public.staff m where m.role = 'manager' and m.disabled_at is null
        and (m.serves_all or exists (select from public.staff_tenants x where x.tenant_id = p_tenant and x.staff_id = m.id))));
  end if;
end
$$;

-- The appearance of a customer's portal before the login. P_OF is the customer's number, its code, or "host:" and its host name.
drop function if exists door.theme(text); -- its columns change
create function door.theme(p_of text)
returns table (tenant_id bigint, name text, logo_url text, primary_color text, accent_color text, support_contact text, updated_at timestamptz,
  sso text, code text)
language sql stable security definer set search_path = public, pg_temp as $$
  select c.tenant_id, coalesce(t.display_name, c.name), logo_url_of(t), t.primary_color, t.accent_color, t.support_contact,
    coalesce(t.updated_at, c.created_at),
    (select p.name from public.identity_providers p where p.tenant_id = c.tenant_id and p.active order by p.id limit 1), c.code
  from public.customers c left join public.tenant_themes t on t.tenant_id = c.tenant_id
  where c.tenant_id = public.tenant_named(p_of) and c.tenant_id > 1 and c.status = 'active'
  order by c.tenant_id limit 1
$$;

create or replace function door.logo(p_of text)
returns table (tenant_id bigint, type text, sha256 text, image bytea) language sql stable security definer set search_path = public, pg_temp as $$
  select t.tenant_id, t.logo_type, t.logo_sha256, t.logo
  from door.theme(p_of) d join public.tenant_themes t on t.tenant_id = d.tenant_id where t.logo is not null
$$;

-- The seq up to which a tenant's events are counted.
create or replace function door.rollup_position(p_tenant bigint)
returns bigint language sql stable security definer set search_path = public, pg_temp as $$
  select p.seq from public.consumer_positions p where p.tenant_id = p_tenant and p.consumer = 'rollup'
$$;

-- The tenants that a staff member serves.
create or replace function door.staff_tenants(p_staff bigint)
returns table (tenant_id bigint) language sql stable security definer set search_path = public, pg_temp as $$
  select c.tenant_id from public.customers c, public.staff s
  where s.id = p_staff and s.disabled_at is null and c.status = 'active'
    and (s.serves_all or exists (select from public.staff_tenants x where x.tenant_id = c.tenant_id and x.staff_id = s.id))
$$;

-- Redact a text of a ticket that the session may change: the text, and its digest in the events of the ticket, which would let anybody who guesses
-- the text confirm it. The rest of an event never changes. Returns false if there is no such text.
create or replace function door.redact(p_tenant bigint, p_ticket bigint, p_comment bigint)
returns boolean language plpgsql security definer set search_path = public, pg_temp as $$
declare
  sha text;
begin
  if p_tenant <> all (current_setting('app.current_tenants')::bigint[]) then
    return false;
  end if;
  select encode(sha256(convert_to(m.body, 'UTF8')), 'hex') into sha from ticket_comments m
  where m.tenant_id = p_tenant and m.ticket_id = p_ticket and m.id = p_comment
  for update;
  if not found then
    return false;
  end if;
  update ticket_comments m set body = '[redacted]', details = null
  where m.tenant_id = p_tenant and m.ticket_id = p_ticket and m.id = p_comment;
  update events e set data = e.data - 'text_sha256'
  where e.tenant_id = p_tenant and e.ticket_id = p_ticket and e.data ->> 'text_sha256' = sha;
  return true;
end $$;

-- Create the monthly partitions from P_FROM to P_TO of the tables that grow for ever, and return their number. They are attached, not created
-- in place, so that readers and writers can go on. Ten rows are inserted, analyzed and deleted again, as in 0006_statistics.sql: without
-- statistics the planner may scan a whole tenant to find one ticket.
create or replace function door.partitions(p_from timestamptz, p_to timestamptz)
returns int language plpgsql security definer set search_path = public, pg_temp as $$
declare
  rows_of jsonb := jsonb_build_object(
    'events', 'select 1, -n, ''statistics'', -n, ''system'', null, ''staff'', $1, ''{}'' from generate_series(1, 10) n',
    'ticket_comments', 'select 1, -n, -n, ''note'', ''staff'', ''system'', null, ''-'', null, $1 from generate_series(1, 10) n',
    'deliveries', 'select 1, -n, -n, 1, $1, true, 0, null from generate_series(1, 10) n');
  first date := date_trunc('month', p_from at time zone 'UTC');
  parent text;
  part text;
  made int := 0;
begin
  while first <= p_to at time zone 'UTC' loop
    for parent in select jsonb_object_keys(rows_of) loop
      part := parent || to_char(first, '_YYYYMM');
      if to_regclass('part.' || part) is null then
        execute format('create table part.%I (like public.%I including defaults including constraints including indexes)', part, parent);
        execute format('insert into part.%I ', part) || (rows_of ->> parent) using first::timestamp at time zone 'UTC';
        execute format('analyze part.%I', part);
        execute format('delete from part.%I', part);
        execute format('alter table public.%I attach partition part.%I for values from (%L) to (%L)', parent, part,
          first || ' 00:00:00Z', (first + interval '1 month')::date || ' 00:00:00Z');
        made := made + 1;
      end if;
    end loop;
    first := first + interval '1 month';
  end loop;
  return made;
end
$$;
