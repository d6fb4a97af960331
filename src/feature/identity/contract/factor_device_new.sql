-- factor/device_new: trust a device: it needs no second factor for a while.
-- mode: job   shape: rows   class: job
-- $1 tenant   bigint  call.tenant   required
-- $2 kind     text    call.kind     required
-- $3 actor    bigint  call.actor    required
-- $4 sha256   text    call.sha256   required
-- $5 device   text    call.device   required
-- $6 now      bigint  call.now      required
-- $7 expires  bigint  call.expires  required
insert into trusted_devices (tenant_id, actor_kind, actor_id, secret_sha256, device, created_at, expires_at)
values ($1::bigint, $2::text, $3::bigint, $4::text, left($5::text, 200), ts($6::bigint), ts($7::bigint))
returning id
