-- client/theme_put: set the appearance of the caller's portal; a missing field returns to its default.
-- mode: write   shape: rows   class: point
-- $1 display_name     text    call.display_name     optional
-- $2 logo_url         text    call.logo_url         optional
-- $3 primary_color    text    call.primary_color    optional
-- $4 accent_color     text    call.accent_color     optional
-- $5 support_contact  text    call.support_contact  optional
-- $6 now              bigint  call.now              required
insert into tenant_themes (tenant_id, display_name, logo_url, primary_color, accent_color, support_contact, updated_at)
values ((select current_setting('app.current_tenant_id')::bigint), $1::text, $2::text, lower($3::text), lower($4::text), $5::text, ts($6::bigint))
on conflict (tenant_id) do update set display_name = excluded.display_name, logo_url = excluded.logo_url, primary_color = excluded.primary_color,
  accent_color = excluded.accent_color, support_contact = excluded.support_contact, updated_at = excluded.updated_at
returning tenant_id
