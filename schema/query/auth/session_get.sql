-- auth/session_get: the current state of a session, with the tenants that it may see.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
-- $2 id      bigint  call.id      required
-- $3 now     bigint  call.now     required
select s.actor_kind, s.actor_id, us(s.expires_at) as expires_at,
  case when s.actor_kind = 'staff' then (select array_agg(t.tenant_id order by t.tenant_id)::text from door.staff_tenants(s.actor_id) t)
    else array[s.tenant_id]::text end as tenants,
  coalesce(f.role, u.role_type) as role, coalesce(f.full_name, u.full_name) as full_name, coalesce(f.username, u.username) as username,
  coalesce(f.lang, u.lang) as lang, coalesce(f.level, 0)::int as level,
  coalesce(f.must_change, u.must_change) as must_change,
  permissions_of(s.tenant_id, s.actor_kind, s.actor_id, coalesce(f.role, u.role_type), $3::bigint)::text as permissions,
  coalesce(scope_of(s.tenant_id, s.actor_kind, s.actor_id, $3::bigint)::text, '') as scope,
  s.method in ('password', 'link') and factor_required(s.tenant_id, s.actor_kind, coalesce(f.role, u.role_type))
    and not exists (select from factors k where k.tenant_id = s.tenant_id and k.actor_kind = s.actor_kind and k.actor_id = s.actor_id
      and k.confirmed_at is not null) as must_enrol,
  (select t.support_contact from tenant_themes t where t.tenant_id = s.tenant_id) as support
from sessions s
left join staff f on s.actor_kind = 'staff' and f.tenant_id = s.tenant_id and f.id = s.actor_id and f.disabled_at is null
left join client_users u on s.actor_kind = 'customer' and u.tenant_id = s.tenant_id and u.id = s.actor_id and u.disabled_at is null
where s.tenant_id = $1::bigint and s.id = $2::bigint and s.revoked_at is null and s.expires_at > ts($3::bigint)
  and (f.id is not null or u.id is not null)
limit 1
