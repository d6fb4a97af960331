-- cache/warmup: overviews to compute in advance: every customer with users who were active within a day, once for each language and set of
-- permissions. Users with a data scope are left out.
-- mode: job   shape: rows   class: job
-- $1 now  bigint  call.now  required
select x.tenant_id, x.lang, x.permissions
from (
  select distinct u.tenant_id, u.lang, permissions_of(u.tenant_id, 'customer', u.id, u.role_type, $1::bigint)::text as permissions
  from (
    select distinct s.tenant_id, s.actor_id from sessions s
    where s.actor_kind = 'customer' and s.revoked_at is null and coalesce(s.refreshed_at, s.created_at) > ts($1::bigint) - interval '1 day'
    limit 2000) s
  join client_users u on u.tenant_id = s.tenant_id and u.id = s.actor_id and u.disabled_at is null
  join customers c on c.tenant_id = u.tenant_id and c.status = 'active'
  where scope_of(u.tenant_id, 'customer', u.id, $1::bigint) is null) x
where x.permissions like '%dashboard:read%'
order by x.tenant_id, x.lang, x.permissions
limit 500
