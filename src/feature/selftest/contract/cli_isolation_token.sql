-- cli/isolation_token: a short service token of a customer that may do everything a customer may.
-- mode: job   shape: rows   class: job
-- $1 tenant         bigint  call.tenant         required
-- $2 secret_sha256  text    call.secret_sha256  required
-- $3 now            time    call.now            required
-- $4 until          time    call.until          required
insert into api_tokens (tenant_id, name, secret_sha256, scopes, expires_at, created_at)
select $1::bigint, 'isolation check', decode($2, 'hex'),
  array(select distinct unnest(r.permissions) from roles r where r.kind = 'customer') || '{admin,tickets:read,tickets:write}'::text[],
  $4::timestamptz, $3::timestamptz
returning id
