-- client/preferences_put: set my preferences; lang is also the language of my mails.
-- mode: write   shape: rows   class: point
-- $1 user_id      bigint  call.user_id      required
-- $2 preferences  json    call.preferences  required
-- $3 now          bigint  call.now          required
update client_users u set preferences = $2::jsonb, lang = coalesce($2::jsonb ->> 'lang', u.lang), updated_at = ts($3::bigint)
where u.tenant_id = (select current_setting('app.current_tenant_id')::bigint) and u.id = $1::bigint
  and (select current_setting('app.audience')) = 'customer'
returning u.id
