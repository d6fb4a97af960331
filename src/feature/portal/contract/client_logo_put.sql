-- client/logo_put: set or remove the logo of the caller's portal.
-- mode: write   shape: rows   class: point
-- $1 type    text    call.type    optional
-- $2 sha256  text    call.sha256  optional
-- $3 base64  text    call.base64  optional
-- $4 now     bigint  call.now     required
insert into tenant_themes (tenant_id, logo_type, logo_sha256, logo, updated_at)
values ((select current_setting('app.current_tenant_id')::bigint), $1::text, $2::text, decode($3::text, 'base64'), ts($4::bigint))
on conflict (tenant_id) do update set logo_type = excluded.logo_type, logo_sha256 = excluded.logo_sha256, logo = excluded.logo,
  updated_at = excluded.updated_at
returning tenant_id
