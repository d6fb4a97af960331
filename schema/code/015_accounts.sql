-- SPDX-License-Identifier: Apache-2.0
-- An account that may act: it is not disabled and, for a customer's user, the customer is not suspended. No row otherwise. Whoever asks whether an
-- account may do something asks this: logins, links, refreshed and running sessions.
create or replace function account_live(p_tenant bigint, p_kind text, p_actor bigint)
returns table (username text, full_name text, role text, lang text, level int, must_change boolean) language sql stable as $$
  select s.username, s.full_name, s.role, s.lang, s.level::int, s.must_change from public.staff s
  where p_kind = 'staff' and s.tenant_id = p_tenant and s.id = p_actor and s.disabled_at is null
  union all
  select u.username, u.full_name, u.role_type, u.lang, 0, u.must_change
  from public.client_users u join public.customers c on c.tenant_id = u.tenant_id and c.status = 'active'
  where p_kind = 'customer' and u.tenant_id = p_tenant and u.id = p_actor and u.disabled_at is null
$$;
