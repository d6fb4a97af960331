-- auth/proof_try: count an attempt to prove the user of a session before it is checked; the sixth in vain ends the session. No row: it has ended.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
-- $2 id      bigint  call.id      required
-- $3 now     bigint  call.now     required
with s as (
  update sessions x set proof_tries = x.proof_tries + 1, revoked_at = case when x.proof_tries >= 5 then ts($3::bigint) end,
    revoked_why = case when x.proof_tries >= 5 then 'five wrong proofs' end
  where x.tenant_id = $1::bigint and x.id = $2::bigint and x.revoked_at is null
  returning x.tenant_id, x.id, x.actor_kind, x.actor_id, x.revoked_at
), ended as materialized (
  select account_event(s.tenant_id, s.actor_kind, s.actor_id, 'auth.session_ended', null, $3::bigint, jsonb_build_object('sessions', jsonb_build_array(s.id))) as seq
  from s where s.revoked_at is not null
)
select f.id as factor_id, sealed_at('factors.secret', f.tenant_id, sealed_row(f), f.secret) as secret, f.counter
from s left join ended on true
left join factors f on f.tenant_id = s.tenant_id and f.actor_kind = s.actor_kind and f.actor_id = s.actor_id and f.kind = 'totp' and f.confirmed_at is not null
where s.revoked_at is null
order by f.id
limit 20
