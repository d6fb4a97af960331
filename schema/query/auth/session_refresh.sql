-- auth/session_refresh: a refresh token for the next one; one that was used before ends its session and tells the owner.
-- mode: job   shape: rows   class: job
-- $1 tenant   bigint  call.tenant   required
-- $2 id       bigint  call.id       required
-- $3 old      text    call.old      required
-- $4 new      text    call.new      required
-- $5 now      bigint  call.now      required
-- $6 expires  bigint  call.expires  required
-- $7 address  text    call.address  required
with s as materialized (
  select s.tenant_id, s.id, s.actor_kind, s.actor_id from sessions s
  where s.tenant_id = $1::bigint and s.id = $2::bigint and s.revoked_at is null and s.expires_at > ts($5::bigint)
    and exists (select from refresh_tokens t where t.tenant_id = s.tenant_id and t.session_id = s.id and t.secret_sha256 = decode($3::text, 'hex'))
  for update of s
), u as (
  update refresh_tokens t set used_at = ts($5::bigint) from s
  where t.tenant_id = s.tenant_id and t.session_id = s.id and t.secret_sha256 = decode($3::text, 'hex') and t.used_at is null
  returning t.session_id
), n as (
  insert into refresh_tokens (tenant_id, session_id, secret_sha256, created_at)
  select s.tenant_id, s.id, decode($4::text, 'hex'), ts($5::bigint) from s where exists (select from u)
), w as (
  update sessions x set refreshed_at = ts($5::bigint), expires_at = case when exists (select from u) then ts($6::bigint) else x.expires_at end,
    revoked_at = case when exists (select from u) then null else ts($5::bigint) end,
    revoked_why = case when exists (select from u) then null else 'refresh token used twice' end
  from s where x.tenant_id = s.tenant_id and x.id = s.id
)
select exists (select from u) as renewed, case when not exists (select from u) then
  account_event(s.tenant_id, s.actor_kind, s.actor_id, 'auth.refresh_reused', 'auth_reused', $5::bigint, jsonb_build_object('address', $7::text)) end as told
from s
