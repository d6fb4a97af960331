-- factor/passkey_get: who registered a passkey's credential id, the oldest first, before the login; uses up the challenge.
-- mode: job   shape: rows   class: job
-- $1 credential  text    call.credential  required
-- $2 challenge   text    call.challenge   required
-- $3 now         bigint  call.now         required
with u as (
  insert into used_challenges (challenge, used_at) values ($2::text, ts($3::bigint)) on conflict do nothing returning challenge
)
select f.tenant_id, f.id, f.actor_kind, f.actor_id, f.public_key, f.counter, coalesce(s.username, c.username) as username
from u, factors f
left join staff s on f.actor_kind = 'staff' and s.tenant_id = f.tenant_id and s.id = f.actor_id and s.disabled_at is null
left join client_users c on f.actor_kind = 'customer' and c.tenant_id = f.tenant_id and c.id = f.actor_id and c.disabled_at is null
  and exists (select from customers k where k.tenant_id = f.tenant_id and k.status = 'active')
where f.credential_id = $1::text and f.kind = 'passkey' and coalesce(s.username, c.username) is not null
order by f.created_at, f.tenant_id, f.id
limit 8
