-- factor/confirm: confirm a factor; the first one also stores recovery codes. The user is notified.
-- mode: job   shape: rows   class: job
-- $1 tenant   bigint  call.tenant   required
-- $2 kind     text    call.kind     required
-- $3 actor    bigint  call.actor    required
-- $4 id       bigint  call.id       required
-- $5 counter  bigint  call.counter  required
-- $6 now      bigint  call.now      required
-- $7 by       text    call.by       required
-- $8 address  text    call.address  required
with f as (
  update factors x set confirmed_at = ts($6::bigint), counter = $5::bigint
  where x.tenant_id = $1::bigint and x.actor_kind = $2::text and x.actor_id = $3::bigint and x.id = $4::bigint and x.confirmed_at is null
  returning x.name
)
select account_event($1::bigint, $2::text, $3::bigint, 'auth.factor_added', 'auth_factor', $6::bigint,
  jsonb_build_object('by', $7::text, 'changed', '+ ' || f.name, 'address', $8::text)) as told
from f
