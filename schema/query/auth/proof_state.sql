-- auth/proof_state: has a session proved its user by password or factor within five minutes, and if not, with what can it?
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
-- $2 id      bigint  call.id      required
-- $3 now     bigint  call.now     required
select coalesce(s.proved_at > ts($3::bigint) - interval '5 minutes', false) as proved, p.password, p.totp, p.passkey, p.recovery,
  mail_may_step_up(s.tenant_id, s.id) as mail, fresh_provider_of(s.tenant_id, s.provider_id) as provider,
  (select c.code from customers c where c.tenant_id = s.tenant_id) as code
from sessions s cross join lateral proofs_of(s.tenant_id, s.actor_kind, s.actor_id) p
where s.tenant_id = $1::bigint and s.id = $2::bigint
