-- factor/remove: remove one factor of a user, or all of them with recovery codes. Trusted devices lose their trust; the user is notified.
-- mode: job   shape: rows   class: job
-- $1 tenant   bigint  call.tenant   required
-- $2 kind     text    call.kind     required
-- $3 actor    bigint  call.actor    required
-- $4 id       bigint  call.id       optional
-- $5 now      bigint  call.now      required
-- $6 by       text    call.by       required
-- $7 address  text    call.address  required
with f as (
  delete from factors x where x.tenant_id = $1::bigint and x.actor_kind = $2::text and x.actor_id = $3::bigint and ($4::bigint is null or x.id = $4::bigint)
  returning x.name
), left_over as (
  select count(*) as n from factors x where x.tenant_id = $1::bigint and x.actor_kind = $2::text and x.actor_id = $3::bigint
    and x.confirmed_at is not null and $4::bigint is not null and x.id <> $4::bigint
), c as (
  delete from recovery_codes r using left_over l where l.n = 0 and r.tenant_id = $1::bigint and r.actor_kind = $2::text and r.actor_id = $3::bigint
), d as (
  delete from trusted_devices t where t.tenant_id = $1::bigint and t.actor_kind = $2::text and t.actor_id = $3::bigint
), names as materialized (
  select string_agg('- ' || f.name, ', ') as list from f
)
select account_event($1::bigint, $2::text, $3::bigint, 'auth.factor_removed', 'auth_factor', $5::bigint,
  jsonb_build_object('by', $6::text, 'changed', names.list, 'address', $7::text)) as told
from names where names.list is not null
