-- auth/reset_use: set a new password by a reset link, once: end all sessions, trusted devices and other links, remove a lock and notify the owner.
-- mode: job   shape: rows   class: job
-- $1 tenant   bigint  call.tenant   required
-- $2 id       bigint  call.id       required
-- $3 old      text    call.old      required
-- $4 new      text    call.new      required
-- $5 now      bigint  call.now      required
-- $6 address  text    call.address  required
with r as (
  update password_resets x set used_at = ts($5::bigint)
  where x.tenant_id = $1::bigint and x.id = $2::bigint and x.purpose = 'reset' and x.used_at is null and x.asked_at > ts($5::bigint) - interval '1 hour'
  returning x.tenant_id, x.actor_kind, x.actor_id
)
select r.actor_id, account_password(r.tenant_id, r.actor_kind, r.actor_id, $3::text, $4::text, false, $5::bigint, 'password reset', null,
  jsonb_build_object('address', $6::text)) as told
from r
