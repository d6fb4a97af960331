-- auth/session_end: end one session of somebody, or all.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
-- $2 kind    text    call.kind    required
-- $3 actor   bigint  call.actor   required
-- $4 now     bigint  call.now     required
-- $5 only    bigint  call.only    optional
update sessions set revoked_at = ts($4::bigint), revoked_why = 'ended by its owner'
where tenant_id = $1::bigint and actor_kind = $2::text and actor_id = $3::bigint and revoked_at is null
  and ($5::bigint is null or id = $5::bigint)
returning id
