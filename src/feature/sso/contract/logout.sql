-- sso/logout: a provider ends one session, or all sessions of a subject; each logout token is accepted once.
-- mode: job   shape: rows   class: job
-- $1 tenant    bigint  call.tenant    required
-- $2 provider  bigint  call.provider  required
-- $3 subject   text    call.subject   optional
-- $4 sid       text    call.sid       optional
-- $5 jti       text    call.jti       required
-- $6 now       bigint  call.now       required
with once as (
  insert into used_challenges (challenge, used_at) values ('logout:' || $1::bigint || ':' || $2::bigint || ':' || $5::text, ts($6::bigint))
  on conflict do nothing returning challenge
), e as (
  update sessions x set revoked_at = ts($6::bigint), revoked_why = 'ended by the identity provider'
  from once where x.tenant_id = $1::bigint and x.provider_id = $2::bigint and x.revoked_at is null
    and ($3::text is null or x.subject = $3::text) and ($4::text is null or x.provider_session = $4::text) and ($3::text is not null or $4::text is not null)
  returning x.id, x.actor_id
), told as materialized (
  select account_event($1::bigint, 'customer', a.actor_id, 'auth.session_ended', null, $6::bigint, jsonb_build_object('sessions', a.ids)) as seq
  from (select e.actor_id, jsonb_agg(e.id) as ids from e group by e.actor_id) a
)
select (select count(*) from e) as ended, (select count(*) from told) as told from once
