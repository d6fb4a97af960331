-- factor/state: what a user needs besides the password, and whether the current device is trusted.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
-- $2 kind    text    call.kind    required
-- $3 actor   bigint  call.actor   required
-- $4 now     bigint  call.now     required
-- $5 device  text    call.device  optional
select (select count(*) from factors f where f.tenant_id = $1::bigint and f.actor_kind = $2::text and f.actor_id = $3::bigint
    and f.kind = 'totp' and f.confirmed_at is not null) as totp,
  (select count(*) from factors f where f.tenant_id = $1::bigint and f.actor_kind = $2::text and f.actor_id = $3::bigint and f.kind = 'passkey') as passkeys,
  exists (select from trusted_devices d where d.tenant_id = $1::bigint and d.actor_kind = $2::text and d.actor_id = $3::bigint
    and d.secret_sha256 = $5::text and d.expires_at > ts($4::bigint)) as trusted
