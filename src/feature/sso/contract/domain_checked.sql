-- sso/domain_checked: store what the name server answered. A domain that another customer has proved stays that customer's: a unique violation.
-- mode: write   shape: rows   class: point
-- $1 id     bigint  call.id     required
-- $2 now    bigint  call.now    required
-- $3 error  text    call.error  optional
update mail_domains m set checked_at = ts($2::bigint), last_error = $3::text,
  verified_at = case when $3::text is null then coalesce(m.verified_at, ts($2::bigint)) else m.verified_at end,
  verified_by = case when $3::text is null then 'dns' else m.verified_by end
where m.tenant_id = (select current_setting('app.current_tenant_id')::bigint) and m.id = $1::bigint
returning m.id, m.tenant_id, m.domain, '_sladesk.' || m.domain as record_name, m.token as record_value, m.verified_at is not null as verified, m.verified_by,
  m.verified_at, m.checked_at, m.last_error, m.created_at
