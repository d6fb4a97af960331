-- cli/token_add: create a service token.
-- mode: job   shape: rows   class: job
-- $1 tenant         bigint  call.tenant         required
-- $2 name           text    call.name           required
-- $3 secret_sha256  text    call.secret_sha256  required
-- $4 scopes         text    call.scopes         required
-- $5 until          time    call.until          required
-- $6 now            time    call.now            required
insert into api_tokens (tenant_id, name, secret_sha256, scopes, expires_at, created_at)
values ($1::bigint, $2, decode($3, 'hex'), string_to_array($4, ','), $5::timestamptz, $6::timestamptz)
returning id
