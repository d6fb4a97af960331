-- factor/step_try: count an attempt at a second factor before it is checked: at most five, within five minutes.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
-- $2 id      bigint  call.id      required
-- $3 now     bigint  call.now     required
with s as (
  update login_steps set tries = tries + 1
  where tenant_id = $1::bigint and id = $2::bigint and done_at is null and tries < 5 and began_at > ts($3::bigint) - interval '5 minutes'
    and exists (select from account_live(login_steps.tenant_id, login_steps.actor_kind, login_steps.actor_id))
  returning tenant_id, id, actor_kind, actor_id, username, method, code_sha256
)
select s.actor_kind, s.actor_id, s.username, s.method, s.code_sha256, f.id as factor_id, f.secret, f.counter
from s left join factors f on f.tenant_id = s.tenant_id and f.actor_kind = s.actor_kind and f.actor_id = s.actor_id and f.kind = 'totp'
  and f.confirmed_at is not null
order by f.id
limit 20
