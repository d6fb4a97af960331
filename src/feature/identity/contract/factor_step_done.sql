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
), u as materialized (
  select s.*, x.factors, x.codes from s cross join lateral use_up(s.tenant_id, s.actor_kind, s.actor_id, $3::bigint, $4::bigint, $5::bigint,
    case when not $7::bool then $6::text end) x
)
update login_steps x set done_at = ts($3::bigint)
from u where x.tenant_id = u.tenant_id and x.id = u.id and u.factors + u.codes + ($7::bool and coalesce(x.code_sha256 = $6::text, false))::int = 1
returning x.id, (select count(*) from recovery_codes c where c.tenant_id = x.tenant_id and c.actor_kind = x.actor_kind and c.actor_id = x.actor_id
  and c.used_at is null) - u.codes as codes_left
