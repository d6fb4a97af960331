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
select r.actor_kind, r.actor_id, a.username
from r cross join lateral account_live(r.tenant_id, r.actor_kind, r.actor_id) a
