-- auth/link_use: use a mailed login link, once and within 15 minutes.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
-- $2 id      bigint  call.id      required
-- $3 now     bigint  call.now     required
with r as (
  update password_resets x set used_at = ts($3::bigint)
  where x.tenant_id = $1::bigint and x.id = $2::bigint and x.purpose = 'link' and x.used_at is null and x.asked_at > ts($3::bigint) - interval '15 minutes'
  returning x.tenant_id, x.actor_kind, x.actor_id
)
select r.actor_kind, r.actor_id, coalesce(s.username, u.username) as username
from r
left join staff s on r.actor_kind = 'staff' and s.tenant_id = r.tenant_id and s.id = r.actor_id and s.disabled_at is null
left join client_users u on r.actor_kind = 'customer' and u.tenant_id = r.tenant_id and u.id = r.actor_id and u.disabled_at is null
where coalesce(s.username, u.username) is not null
