-- cli/token_add: create a service token.
-- mode: job   shape: rows   class: job
-- $1 tenant         bigint  call.tenant         required
-- $2 name           text    call.name           required
-- $3 secret_sha256  text    call.secret_sha256  required
-- $4 scopes         text    call.scopes         required
-- $5 until          time    call.until          required
-- $6 now            time    call.now            required
-- $7 maker          text    call.maker          optional
with maker as (
  select f.id, permissions_of(1, 'staff', f.id, f.role, us($6::timestamptz)) as held from staff f
  where $1::bigint = 1 and f.username = $7 and f.disabled_at is null
  union all
  select u.id, permissions_of(u.tenant_id, 'customer', u.id, u.role_type, us($6::timestamptz)) from client_users u
  where $1::bigint > 1 and u.tenant_id = $1::bigint and u.username = $7 and u.disabled_at is null
)
insert into api_tokens (tenant_id, name, secret_sha256, scopes, expires_at, created_at, maker_id)
select $1::bigint, $2, decode($3, 'hex'), string_to_array($4, ','), $5::timestamptz, $6::timestamptz, m.id
from (select 1) x left join maker m on true
where $7 is null or string_to_array($4, ',') <@ m.held
returning id
