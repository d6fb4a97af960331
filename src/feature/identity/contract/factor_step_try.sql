-- factor/step_try: count an attempt at a second factor before it is checked: at most five, within five minutes. Wrong ones also count for the
-- account, whatever login they belong to, until its password changes: at most 30 in a day from networks where the user never logged in, and
-- as many from each of the others. The owner is told of the tenth.
-- mode: job   shape: rows   class: job
-- $1 tenant   bigint  call.tenant   required
-- $2 id       bigint  call.id       required
-- $3 now      bigint  call.now      required
-- $4 address  text    call.address  required
with l as materialized (
  select x.tenant_id, x.actor_kind, x.actor_id, x.network,
    array(select k.network from known_networks k where k.tenant_id = x.tenant_id and k.actor_kind = x.actor_kind and k.actor_id = x.actor_id) as known
  from login_steps x where x.tenant_id = $1::bigint and x.id = $2::bigint
), g as materialized (
  select coalesce(sum(o.tries), 0) as wrong, coalesce(bool_or(o.told), false) as told
  from l join login_steps o on o.tenant_id = l.tenant_id and o.actor_kind = l.actor_kind and o.actor_id = l.actor_id
  where o.done_at is null and o.began_at > ts($3::bigint) - interval '1 day'
    and case when l.network = any (l.known) then o.network = l.network else o.network <> all (l.known) end
), s as (
  update login_steps x set tries = x.tries + 1, told = x.told or (g.wrong >= 9 and not g.told)
  from g
  where x.tenant_id = $1::bigint and x.id = $2::bigint and x.done_at is null and x.tries < 5 and x.began_at > ts($3::bigint) - interval '5 minutes'
    and g.wrong < 30 and exists (select from account_live(x.tenant_id, x.actor_kind, x.actor_id))
  returning x.tenant_id, x.id, x.actor_kind, x.actor_id, x.username, x.method, x.code_sha256, g.wrong >= 9 and not g.told as tell
), told as materialized (
  select account_event(s.tenant_id, s.actor_kind, s.actor_id, 'auth.factor_guessed', 'auth_factor_guessed', $3::bigint,
    jsonb_build_object('address', $4::text)) as seq
  from s where s.tell
)
select s.actor_kind, s.actor_id, s.username, s.method, s.code_sha256, f.id as factor_id,
  sealed_at('factors.secret', f.tenant_id, sealed_row(f), f.secret) as secret, f.counter
from s left join told on true
left join factors f on f.tenant_id = s.tenant_id and f.actor_kind = s.actor_kind and f.actor_id = s.actor_id and f.kind = 'totp'
  and f.confirmed_at is not null
order by f.id
limit 20
