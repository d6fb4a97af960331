-- auth/proof_mail: send a code that proves the user of a session, at most three within an hour, if there is no other proof. Only its digest is stored; the code itself is kept until it is sent. No row: not now, or not this way.
-- mode: job   shape: rows   class: job
-- $1 tenant   bigint  call.tenant   required
-- $2 id       bigint  call.id       required
-- $3 now      bigint  call.now      required
-- $4 sha256   text    call.sha256   required
-- $5 sealed   text    call.sealed   required
-- $6 address  text    call.address  required
with s as (
  update sessions x set proof_code_sha256 = $4::text, proof_code_at = ts($3::bigint),
    proof_codes = case when x.proof_code_at > ts($3::bigint) - interval '1 hour' then x.proof_codes + 1 else 1 end
  where x.tenant_id = $1::bigint and x.id = $2::bigint and x.revoked_at is null
    and (x.proof_codes < 3 or x.proof_code_at <= ts($3::bigint) - interval '1 hour') and mail_may_step_up(x.tenant_id, x.id)
  returning x.tenant_id, x.actor_kind, x.actor_id
)
select account_event(s.tenant_id, s.actor_kind, s.actor_id, 'auth.code_asked', 'auth_step_up', $3::bigint,
  jsonb_build_object('code', $5::text, 'step', $2::bigint, 'address', $6::text)) as told
from s
