-- auth/session_new: start a session with its first refresh token, and forget earlier wrong passwords. No row: the account may not act any more.
-- No id: the customer has as many users logged in as its limit allows.
-- mode: job   shape: rows   class: job
-- $1 tenant      bigint  call.tenant      required
-- $2 actor_kind  text    call.actor_kind  required
-- $3 actor_id    bigint  call.actor_id    required
-- $4 now         bigint  call.now         required
-- $5 expires     bigint  call.expires     required
-- $6 refresh     text    call.refresh     required
-- $7 device      text    call.device      required
-- $8 address     text    call.address     required
-- $9 window      bigint  call.window      required
-- $10 seats      bigint  call.seats       required
-- $11 method     text    call.method      required
-- $12 factor     text    call.factor      optional
-- $13 provider   bigint  call.provider    optional
-- $14 subject    text    call.subject     optional
-- $15 sid        text    call.sid         optional
-- $16 proved     bigint  call.proved      optional
with who as materialized (
  select w.* from account_live($1::bigint, $2::text, $3::bigint) w
), a as (
  delete from login_attempts l using who where l.tenant_id = $1::bigint and l.username = who.username and l.source = login_network($8::text)
), s as (
  insert into sessions (tenant_id, actor_kind, actor_id, created_at, expires_at, device, address, method, factor, provider_id, subject,
    provider_session, proved_at)
  select $1::bigint, $2::text, $3::bigint, ts($4::bigint), ts($5::bigint), left($7::text, 200), $8::text, $11::text, $12::text, $13::bigint, $14::text, $15::text, ts($16::bigint)
  from who where seat_is_free($1::bigint, $2::text, $3::bigint, $4::bigint, $9::bigint, $10::bigint)
  returning tenant_id, id, actor_kind, actor_id
), k as (
  insert into known_networks as n (tenant_id, actor_kind, actor_id, network, last_at)
  select s.tenant_id, s.actor_kind, s.actor_id, login_network($8::text), ts($4::bigint) from s
  on conflict (tenant_id, actor_kind, actor_id, network) do update set last_at = excluded.last_at
    where n.last_at < excluded.last_at - interval '1 hour'
), l as (
  update client_users u set last_login_at = ts($4::bigint) from s where s.actor_kind = 'customer' and u.tenant_id = s.tenant_id and u.id = s.actor_id
), r as (
  insert into refresh_tokens (tenant_id, session_id, secret_sha256, created_at)
  select s.tenant_id, s.id, decode($6::text, 'hex'), ts($4::bigint) from s
)
select s.id, who.username, who.full_name, who.role, who.must_change,
  permissions_of($1::bigint, $2::text, $3::bigint, who.role, $4::bigint)::text as permissions,
  $11::text in ('password', 'link') and factor_required($1::bigint, $2::text, who.role)
    and not exists (select from factors k where k.tenant_id = $1::bigint and k.actor_kind = $2::text and k.actor_id = $3::bigint
      and k.confirmed_at is not null) as must_enrol
from who left join s on true
