-- auth/reset_use: set a new password by a reset link, once: end all sessions, remove a lock and notify the owner.
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
), s as (
  update staff f set password_hash = $4::text, must_change = false, password_changed_at = ts($5::bigint)
  from r where r.actor_kind = 'staff' and f.tenant_id = r.tenant_id and f.id = r.actor_id and f.password_hash = $3::text and f.disabled_at is null
  returning f.id, f.username
), u as (
  update client_users c set password_hash = $4::text, must_change = false, password_changed_at = ts($5::bigint)
  from r where r.actor_kind = 'customer' and c.tenant_id = r.tenant_id and c.id = r.actor_id and c.password_hash = $3::text and c.disabled_at is null
  returning c.id, c.username
), d as materialized (
  select r.tenant_id, r.actor_kind, x.id, x.username from r, (select * from s union all select * from u) x
), h as (
  insert into password_history (tenant_id, actor_kind, actor_id, set_at, password_hash)
  select d.tenant_id, d.actor_kind, d.id, ts($5::bigint), $3::text from d
), l as (
  delete from login_attempts a using d where a.tenant_id = d.tenant_id and a.username = d.username
), e as (
  update sessions x set revoked_at = ts($5::bigint), revoked_why = 'password reset'
  from d where x.tenant_id = d.tenant_id and x.actor_kind = d.actor_kind and x.actor_id = d.id and x.revoked_at is null
  returning x.id
)
select d.id, account_event(d.tenant_id, d.actor_kind, d.id, 'auth.password_changed', 'auth_password', $5::bigint,
  jsonb_build_object('address', $6::text, 'sessions', coalesce((select jsonb_agg(e.id) from e), '[]'))) as told
from d
