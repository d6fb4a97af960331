-- auth/password_set: replace the password that was checked by a new one; end the other sessions and notify the owner.
-- mode: job   shape: rows   class: job
-- $1 tenant   bigint  call.tenant   required
-- $2 kind     text    call.kind     required
-- $3 actor    bigint  call.actor    required
-- $4 old      text    call.old      required
-- $5 new      text    call.new      required
-- $6 now      bigint  call.now      required
-- $7 keep     bigint  call.keep     required
-- $8 address  text    call.address  required
with s as (
  update staff set password_hash = $5::text, must_change = false, password_changed_at = ts($6::bigint)
  where $2::text = 'staff' and tenant_id = $1::bigint and id = $3::bigint and password_hash = $4::text and disabled_at is null
  returning id
), u as (
  update client_users set password_hash = $5::text, must_change = false, password_changed_at = ts($6::bigint)
  where $2::text = 'customer' and tenant_id = $1::bigint and id = $3::bigint and password_hash = $4::text and disabled_at is null
  returning id
), d as materialized (
  select id from s union all select id from u
), h as (
  insert into password_history (tenant_id, actor_kind, actor_id, set_at, password_hash)
  select $1::bigint, $2::text, d.id, ts($6::bigint), $4::text from d
), e as (
  update sessions x set revoked_at = ts($6::bigint), revoked_why = 'password changed'
  from d where x.tenant_id = $1::bigint and x.actor_kind = $2::text and x.actor_id = d.id and x.revoked_at is null and x.id <> $7::bigint
  returning x.id
)
select account_event($1::bigint, $2::text, d.id, 'auth.password_changed', 'auth_password', $6::bigint, 
  jsonb_build_object('address', $8::text, 'sessions', coalesce((select jsonb_agg(e.id) from e), '[]'))) as told
from d
