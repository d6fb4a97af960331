-- SPDX-License-Identifier: Apache-2.0
-- Is a session or a service token (P_KIND: session, token) still good, and with which rights at P_NOW? No row: it has ended. This is the only place
-- that decides it, for requests, live feeds, downloads and messages of other systems alike.
create or replace function rights_now(p_kind text, p_tenant bigint, p_id bigint, p_now bigint)
returns table (actor_kind text, actor_id bigint, expires_at bigint, tenants text, role text, full_name text, username text, lang text, level int,
  must_change boolean, permissions text, scope text, must_enrol boolean, support text, sha256 text) language sql stable as $$
  select s.actor_kind, s.actor_id, us(s.expires_at),
    case when s.actor_kind = 'staff' then (select array_agg(t.tenant_id order by t.tenant_id)::text from door.staff_tenants(s.actor_id) t)
      else array[s.tenant_id]::text end,
    a.role, a.full_name, a.username, a.lang, a.level, a.must_change,
    permissions_of(s.tenant_id, s.actor_kind, s.actor_id, a.role, p_now)::text,
    coalesce(scope_of(s.tenant_id, s.actor_kind, s.actor_id, p_now)::text, ''),
    s.method in ('password', 'link') and factor_required(s.tenant_id, s.actor_kind, a.role)
      and not exists (select from factors k where k.tenant_id = s.tenant_id and k.actor_kind = s.actor_kind and k.actor_id = s.actor_id
        and k.confirmed_at is not null),
    (select t.support_contact from tenant_themes t where t.tenant_id = s.tenant_id), null
  from sessions s cross join lateral account_live(s.tenant_id, s.actor_kind, s.actor_id) a
  where p_kind = 'session' and s.tenant_id = p_tenant and s.id = p_id and s.revoked_at is null and s.expires_at > ts(p_now)
  union all
  select 'service', k.id, us(k.expires_at),
    case when k.tenant_id = 1 then (select array_agg(c.tenant_id order by c.tenant_id)::text from customers c where c.status = 'active')
      else array[k.tenant_id]::text end,
    'service', k.name, '', 'en', 0, false, array_to_json(k.scopes)::text, '', false,
    (select t.support_contact from tenant_themes t where t.tenant_id = k.tenant_id), encode(k.secret_sha256, 'hex')
  from api_tokens k join customers c on c.tenant_id = k.tenant_id and c.status = 'active'
  where p_kind = 'token' and k.tenant_id = p_tenant and k.id = p_id and k.revoked_at is null and k.expires_at > ts(p_now)
$$;
