-- auth/proof_done: a session has proved its user: use up the time step, the recovery code or the mailed code, if it was one. No row: it was used before.
-- mode: job   shape: rows   class: job
-- $1 tenant   bigint  call.tenant   required
-- $2 id       bigint  call.id       required
-- $3 now      bigint  call.now      required
-- $4 factor   bigint  call.factor   optional
-- $5 counter  bigint  call.counter  optional
-- $6 code     text    call.code     optional
-- $7 mailed   text    call.mailed   optional
with s as materialized (
  select x.tenant_id, x.id, x.actor_kind, x.actor_id,
    x.proof_code_sha256 = $7::text and x.proof_code_at > ts($3::bigint) - interval '5 minutes' and mail_may_step_up(x.tenant_id, x.id) as mailed
  from sessions x
  where x.tenant_id = $1::bigint and x.id = $2::bigint and x.revoked_at is null
  for update
), u as materialized (
  select s.*, x.factors, x.codes from s cross join lateral use_up(s.tenant_id, s.actor_kind, s.actor_id, $3::bigint, $4::bigint, $5::bigint, $6::text) x
)
update sessions x set proved_at = ts($3::bigint), proof_tries = 0, proof_code_sha256 = null
from u where x.tenant_id = u.tenant_id and x.id = u.id
  and ($4::bigint is null or u.factors = 1) and ($6::text is null or u.codes = 1) and ($7::text is null or coalesce(u.mailed, false))
returning x.id
