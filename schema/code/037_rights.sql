-- SPDX-License-Identifier: Apache-2.0
-- Is a session or a service token (P_KIND: session, token) still good, and with which rights at P_NOW? No row: it has ended. This is the only place
-- that decides it, for requests, live feeds, downloads and messages of other systems alike.
drop function if exists rights_now(text, bigint, bigint, bigint); -- its columns change
create function rights_now(p_kind text, p_tenant bigint, p_id bigint, p_now bigint)
returns table (actor_kind text, actor_id bigint, expires_at bigint, tenants text, role text, full_name text, username text, lang text, level int,
  must_change boolean, permissions text, scope text, must_enrol boolean, support text, sha256 text,
  serves_all boolean, admin_permissions text, maker_permissions text, owner_id bigint) language sql stable as $$
  select s.actor_kind, s.actor_id, us(s.expires_at),
    case when s.actor_kind = 'staff' then (select array_agg(t.tenant_id order by t.tenant_id)::text from door.staff_tenants(s.actor_id) t)
      else array[s.tenant_id]::text end,
    a.role, a.full_name, a.username, a.lang, a.level, a.must_change,
    permissions_of(s.tenant_id, s.actor_kind, s.actor_id, a.role, p_now)::text,
    coalesce(scope_of(s.tenant_id, s.actor_kind, s.actor_id, p_now)::text, ''),
    s.method in ('password', 'link') and factor_required(s.tenant_id, s.actor_kind, a.role)
      and not exists (select from factors k where k.tenant_id = s.tenant_id and k.actor_kind = s.actor_kind and k.actor_id = s.actor_id
        and k.confirmed_at is not null),
    (select t.support_contact from tenant_themes t where t.tenant_id = s.tenant_id), null,
    s.actor_kind <> 'staff' or exists (select from staff f where f.tenant_id = s.tenant_id and f.id = s.actor_id and f.serves_all),
    admin_permissions(s.tenant_id)::text, null, s.actor_id
  from sessions s cross join lateral account_live(s.tenant_id, s.actor_kind, s.actor_id) a
  where p_kind = 'session' and s.tenant_id = p_tenant and s.id = p_id and s.revoked_at is null and s.expires_at > ts(p_now)
  union all
  select 'service', k.id, us(k.expires_at),
    case when k.tenant_id = 1 and k.maker_id is not null then
        (select array_agg(t.tenant_id order by t.tenant_id)::text from door.staff_tenants(k.maker_id) t)
      when k.tenant_id = 1 then (select array_agg(c.tenant_id order by c.tenant_id)::text from customers c where c.status = 'active')
      else array[k.tenant_id]::text end,
    'service', k.name, '', 'en', 0, false, array_to_json(k.scopes)::text, coalesce(scope_of(k.tenant_id, m.kind, k.maker_id, p_now)::text, ''), false,
    (select t.support_contact from tenant_themes t where t.tenant_id = k.tenant_id), encode(k.secret_sha256, 'hex'),
    k.tenant_id > 1 or k.maker_id is null or exists (select from staff f where f.tenant_id = 1 and f.id = k.maker_id and f.serves_all),
    admin_permissions(k.tenant_id)::text,
    case when k.maker_id is not null then permissions_of(k.tenant_id, m.kind, k.maker_id, a.role, p_now)::text end,
    case when m.kind = 'customer' then coalesce(k.maker_id, 0) else 0 end
  from api_tokens k join customers c on c.tenant_id = k.tenant_id and c.status = 'active'
  cross join lateral (select case when k.tenant_id = 1 then 'staff' else 'customer' end as kind) m
  left join lateral account_live(k.tenant_id, m.kind, k.maker_id) a on true -- a token made for somebody ends with that account
  where (k.maker_id is null or a.role is not null) and p_kind = 'token' and k.tenant_id = p_tenant and k.id = p_id and k.revoked_at is null and k.expires_at > ts(p_now)
$$;
