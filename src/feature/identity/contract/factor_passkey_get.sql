-- factor/passkey_get: who registered a passkey's credential id, the oldest first, before the login; uses up the challenge.
-- mode: job   shape: rows   class: job
-- $1 credential  text    call.credential  required
-- $2 challenge   text    call.challenge   required
-- $3 now         bigint  call.now         required
with u as (
  insert into used_challenges (challenge, used_at) values ($2::text, ts($3::bigint)) on conflict do nothing returning challenge
)
select f.tenant_id, f.id, f.actor_kind, f.actor_id, f.public_key, f.counter, a.username
from u, factors f
cross join lateral account_live(f.tenant_id, f.actor_kind, f.actor_id) a
where f.credential_id = $1::text and f.kind = 'passkey'
order by f.created_at, f.tenant_id, f.id
limit 8
