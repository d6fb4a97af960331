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
), f as (
  update factors t set counter = $5::bigint, last_used_at = ts($3::bigint)
  from s where $4::bigint is not null and t.tenant_id = s.tenant_id and t.id = $4::bigint and t.actor_kind = s.actor_kind and t.actor_id = s.actor_id
    and t.counter < $5::bigint
  returning t.id
), r as (
  update recovery_codes c set used_at = ts($3::bigint)
  from s where $6::text is not null and c.tenant_id = s.tenant_id and c.actor_kind = s.actor_kind and c.actor_id = s.actor_id and c.keyed
    and c.digest = $6::text and c.used_at is null
  returning c.digest
)
update sessions x set proved_at = ts($3::bigint), proof_tries = 0, proof_code_sha256 = null
from s where x.tenant_id = s.tenant_id and x.id = s.id
  and ($4::bigint is null or exists (select from f)) and ($6::text is null or exists (select from r))
  and ($7::text is null or coalesce(s.mailed, false))
returning x.id
