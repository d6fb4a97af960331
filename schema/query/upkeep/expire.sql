-- upkeep/expire: delete expired rows: idempotency keys after a day, sessions a month after their end, synced messages after a month.
-- mode: job   shape: rows   class: job
-- $1 now  bigint  call.now  required
with k as (
  delete from idempotency_keys where (tenant_id, actor, key) in (
    select i.tenant_id, i.actor, i.key from idempotency_keys i where i.created_at < ts($1::bigint) - interval '24 hours' limit 5000)
  returning 1
), s as (
  delete from sessions where (tenant_id, id) in (
    select x.tenant_id, x.id from sessions x where x.expires_at < ts($1::bigint) - interval '30 days' limit 5000)
  returning 1
), a as (
  delete from login_attempts where (tenant_id, username, source) in (
    select l.tenant_id, l.username, l.source from login_attempts l where l.last_at < ts($1::bigint) - interval '24 hours' limit 5000)
), kn as (
  delete from known_networks where (tenant_id, actor_kind, actor_id, network) in (
    select n.tenant_id, n.actor_kind, n.actor_id, n.network from known_networks n where n.last_at < ts($1::bigint) - interval '180 days' limit 5000)
), y as (
  delete from sync_events where (tenant_id, event_id) in (
    select e.tenant_id, e.event_id from sync_events e where e.received_at < ts($1::bigint) - interval '30 days' limit 5000)
), f as (
  delete from login_steps where (tenant_id, id) in (
    select x.tenant_id, x.id from login_steps x where x.began_at < ts($1::bigint) - interval '1 day' limit 5000)
), t as (
  delete from trusted_devices where (tenant_id, id) in (
    select x.tenant_id, x.id from trusted_devices x where x.expires_at < ts($1::bigint) limit 5000)
), o as (
  delete from sso_logins where (tenant_id, id) in (
    select x.tenant_id, x.id from sso_logins x where x.began_at < ts($1::bigint) - interval '1 day' limit 5000)
), fs as (
  delete from files where (tenant_id, id) in (
    select x.tenant_id, x.id from files x where x.expires_at < ts($1::bigint) limit 200)
), ex as (
  update exports set status = 'expired', file_id = null where (tenant_id, id) in (
    select x.tenant_id, x.id from exports x where x.expires_at < ts($1::bigint) and x.status <> 'expired' limit 200)
), u as (
  delete from used_challenges where challenge in (
    select x.challenge from used_challenges x where x.used_at < ts($1::bigint) - interval '1 day' limit 5000)
), r as (
  delete from password_resets where (tenant_id, id) in (
    select p.tenant_id, p.id from password_resets p where p.asked_at < ts($1::bigint) - case p.purpose when 'address' then interval '8 days' else interval '24 hours' end
    limit 5000)
)
select (select count(*) from k) as keys, (select count(*) from s) as sessions
