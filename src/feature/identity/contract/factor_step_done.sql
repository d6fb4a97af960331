-- factor/step_done: a second factor was correct: use up the time step, recovery code or mailed code and record it, in one statement.
-- mode: job   shape: rows   class: job
-- $1 tenant   bigint  call.tenant   required
-- $2 id       bigint  call.id       required
-- $3 now      bigint  call.now      required
-- $4 factor   bigint  call.factor   optional
-- $5 counter  bigint  call.counter  optional
-- $6 code     text    call.code     optional
-- $7 mailed   bool    call.mailed   required
with s as materialized (
  select x.tenant_id, x.id, x.actor_kind, x.actor_id from login_steps x
  where x.tenant_id = $1::bigint and x.id = $2::bigint and x.done_at is null and x.began_at > ts($3::bigint) - interval '5 minutes'
  for update
), f as (
  update factors t set counter = $5::bigint, last_used_at = ts($3::bigint)
  from s where $4::bigint is not null and t.tenant_id = s.tenant_id and t.id = $4::bigint and t.actor_kind = s.actor_kind and t.actor_id = s.actor_id
    and t.counter < $5::bigint
  returning t.id
), r as (
  update recovery_codes c set used_at = ts($3::bigint)
  from s where $6::text is not null and not $7::bool and c.tenant_id = s.tenant_id and c.actor_kind = s.actor_kind and c.actor_id = s.actor_id
    and c.keyed and c.digest = $6::text and c.used_at is null
  returning c.digest
), m as (
  select x.id from login_steps x, s where $7::bool and x.tenant_id = s.tenant_id and x.id = s.id and x.code_sha256 = $6::text
)
update login_steps x set done_at = ts($3::bigint)
from s where x.tenant_id = s.tenant_id and x.id = s.id and ((select count(*) from f) + (select count(*) from r) + (select count(*) from m)) = 1
returning x.id, (select count(*) from recovery_codes c where c.tenant_id = x.tenant_id and c.actor_kind = x.actor_kind and c.actor_id = x.actor_id
  and c.used_at is null) - (select count(*) from r) as codes_left
