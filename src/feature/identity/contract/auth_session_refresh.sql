-- auth/session_refresh: exchange a refresh token for the next one. Reuse ends the session and notifies its owner,
-- unless that was within GRACE_S: two pages of one browser share the cookie, and the first has refreshed it for both. However often it is
-- refreshed, a session ends MOST_DAYS after its login.
-- mode: job   shape: rows   class: job
-- $1 tenant   bigint  call.tenant   required
-- $2 id       bigint  call.id       required
-- $3 old      text    call.old      required
-- $4 new      text    call.new      required
-- $5 now      bigint  call.now      required
-- $6 expires  bigint  call.expires  required
-- $7 address  text    call.address  required
-- $8 grace_s  int     call.grace_s  required
-- $9 most     bigint  call.most     required
with s as materialized (
  select s.tenant_id, s.id, s.actor_kind, s.actor_id, least(ts($6::bigint), s.created_at + $9::bigint * interval '1 day') as ends
  from sessions s
  -- revoked_at once more: it is read again after the wait for the lock
  where s.tenant_id = $1::bigint and s.id = $2::bigint and s.revoked_at is null
    and exists (select from rights_now('session', $1::bigint, $2::bigint, $5::bigint)) and s.created_at + $9::bigint * interval '1 day' > ts($5::bigint)
  for update of s
), t as materialized ( -- locked before it is read, so that the second of two concurrent requests sees what the first did
  select t.used_at from refresh_tokens t, s
  where t.tenant_id = s.tenant_id and t.session_id = s.id and t.secret_sha256 = decode($3::text, 'hex')
  for update of t
), o as materialized (
  select case when t.used_at is null then 1 when $8::int > 0 and t.used_at > ts($5::bigint) - $8::int * interval '1 s' then 2 else 0 end as outcome from t
), u as (
  update refresh_tokens t set used_at = ts($5::bigint) from s, o
  where o.outcome = 1 and t.tenant_id = s.tenant_id and t.session_id = s.id and t.secret_sha256 = decode($3::text, 'hex')
), n as (
  insert into refresh_tokens (tenant_id, session_id, secret_sha256, created_at)
  select s.tenant_id, s.id, decode($4::text, 'hex'), ts($5::bigint) from s, o where o.outcome = 1
), w as (
  update sessions x set refreshed_at = ts($5::bigint), expires_at = case o.outcome when 1 then s.ends else x.expires_at end,
    revoked_at = case o.outcome when 0 then ts($5::bigint) end,
    revoked_why = case o.outcome when 0 then 'refresh token used twice' end
  from s, o where x.tenant_id = s.tenant_id and x.id = s.id
)
select o.outcome, us(s.ends) as ends, case o.outcome when 0 then
  account_event(s.tenant_id, s.actor_kind, s.actor_id, 'auth.refresh_reused', 'auth_reused', $5::bigint, jsonb_build_object('address', $7::text, 'sessions', jsonb_build_array(s.id))) end as told
from s, o
