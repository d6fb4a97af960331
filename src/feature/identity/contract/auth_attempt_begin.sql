-- auth/attempt_begin: reserve an attempt before its password is checked, so that no more than five run at once. Attempts are counted by account
-- and network; a trusted device counts apart. No row with attempts: five wrong passwords from there have locked the name, or (busy) the
-- current attempts are not decided yet, or (wait_s) strangers must wait, because many wrong passwords came from many networks.
-- mode: job   shape: rows   class: job
-- $1 tenant    text    call.tenant    required
-- $2 username  text    call.username  required
-- $3 now       bigint  call.now       required
-- $4 address   text    call.address   required
-- $5 device    text    call.device    optional
with t as materialized (
  select case when $1::text = 'provider' then 1 else coalesce((select c.tenant_id from customers c
    where c.tenant_id = tenant_named($1::text) limit 1), 0) end as tenant_id
), who as materialized (
  select t.tenant_id, 'staff' as kind, s.id from t join staff s on t.tenant_id = 1 and s.tenant_id = 1 and s.username = $2::text
  union all
  select t.tenant_id, 'customer', u.id from t join client_users u on t.tenant_id > 1 and u.tenant_id = t.tenant_id and u.username = $2::text
), place as materialized ( -- near: somebody of this customer logged in from there before; the order of the queue must not depend on the name
  select t.tenant_id, login_network($4::text) as network,
    (select d.id from who w join trusted_devices d on d.tenant_id = w.tenant_id and d.actor_kind = w.kind and d.actor_id = w.id
     where d.secret_sha256 = $5::text and d.expires_at > ts($3::bigint) limit 1) as device,
    exists (select from who w join known_networks n on n.tenant_id = w.tenant_id and n.actor_kind = w.kind and n.actor_id = w.id
      where n.network = login_network($4::text)) as known,
    exists (select from known_networks n where n.tenant_id = t.tenant_id and n.network = login_network($4::text)) as near
  from t
), k as materialized (
  select p.tenant_id, coalesce('device:' || p.device, p.network) as source, p.known or p.device is not null as known,
    p.near or p.device is not null as near,
    exists (select from login_attempts l where l.tenant_id = p.tenant_id and l.username = $2::text
      and l.source = coalesce('device:' || p.device, p.network) and l.attempts >= 5
      and l.last_at > ts($3::bigint) - interval '30 minutes') as locked
  from place p
), slot as ( -- one attempt of all strangers together in ten seconds
  update login_attempts l set last_at = ts($3::bigint) from k
  where not k.known and not k.locked and l.tenant_id = k.tenant_id and l.username = $2::text and l.source = '*' and l.attempts >= 20
    and l.last_at > ts($3::bigint) - interval '30 minutes' and l.last_at <= ts($3::bigint) - interval '10 seconds'
  returning 1
), late as materialized (
  select greatest(1, ceil(extract(epoch from l.last_at + interval '10 seconds' - ts($3::bigint))))::int as wait_s
  from k join login_attempts l on l.tenant_id = k.tenant_id and l.username = $2::text and l.source = '*'
  where not k.known and not k.locked and l.attempts >= 20 and l.last_at > ts($3::bigint) - interval '30 minutes'
    and not exists (select from slot)
), a as (
  insert into login_attempts as l (tenant_id, username, source, attempts, last_at, pending)
  select k.tenant_id, $2::text, k.source, 0, ts($3::bigint), array[$3::bigint] from k
  where not k.locked and not exists (select from late)
  on conflict (tenant_id, username, source) do update set
    attempts = case when l.last_at <= ts($3::bigint) - interval '30 minutes' then 0 else l.attempts end,
    pending = array(select p from unnest(l.pending) p where abs(p - $3::bigint) < 15000000) || $3::bigint
  where case when l.last_at <= ts($3::bigint) - interval '30 minutes' then 0 else l.attempts end
    + (select count(*) from unnest(l.pending) p where abs(p - $3::bigint) < 15000000) < 5
  returning attempts
)
select k.tenant_id, a.attempts, a.attempts is null and not k.locked and late.wait_s is null as busy, late.wait_s,
  k.source, k.known, k.near
from k left join a on true left join late on true
