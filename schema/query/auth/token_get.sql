-- auth/token_get: the current state of a service token.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
-- $2 id      bigint  call.id      required
-- $3 now     bigint  call.now     required
select encode(a.secret_sha256, 'hex') as sha256, a.scopes, us(a.expires_at) as expires_at, a.name,
  case when a.tenant_id = 1 then (select array_agg(c.tenant_id order by c.tenant_id)::text from customers c where c.status = 'active')
    else array[a.tenant_id]::text end as tenants,
  (select t.support_contact from tenant_themes t where t.tenant_id = a.tenant_id) as support
from api_tokens a
where a.tenant_id = $1::bigint and a.id = $2::bigint and a.revoked_at is null and a.expires_at > ts($3::bigint)
limit 1
