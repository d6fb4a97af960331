-- auth/session_list: a user's live sessions, newest first.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
-- $2 kind    text    call.kind    required
-- $3 actor   bigint  call.actor   required
-- $4 now     bigint  call.now     required
-- $5 limit   int     call.limit   required
-- $6 before  bigint  call.before  optional
select s.id, us(s.created_at) as created_at, us(coalesce(s.refreshed_at, s.created_at)) as used_at, us(s.expires_at) as expires_at, s.device, s.address
from sessions s
where s.tenant_id = $1::bigint and s.actor_kind = $2::text and s.actor_id = $3::bigint and s.revoked_at is null and s.expires_at > ts($4::bigint)
  and ($6::bigint is null or s.id < $6::bigint)
order by s.id desc
limit $5::int
