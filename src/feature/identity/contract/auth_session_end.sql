-- auth/session_end: end one session of a user, or all; every instance hears of it. Returns the identity provider and subject of each.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
-- $2 kind    text    call.kind    required
-- $3 actor   bigint  call.actor   required
-- $4 now     bigint  call.now     required
-- $5 only    bigint  call.only    optional
with e as (
  update sessions set revoked_at = ts($4::bigint), revoked_why = 'ended by its owner'
  where tenant_id = $1::bigint and actor_kind = $2::text and actor_id = $3::bigint and revoked_at is null
    and ($5::bigint is null or id = $5::bigint)
  returning id, provider_id, subject, provider_session
), n as materialized (
  select account_event($1::bigint, $2::text, $3::bigint, 'auth.session_ended', null, $4::bigint,
    jsonb_build_object('sessions', (select jsonb_agg(e.id) from e))) as seq
  where exists (select from e)
)
select e.id, e.provider_id, e.subject, e.provider_session from e, n
