-- auth/attempt_fail: the password of an attempt was found wrong: count it, for strangers also for all networks together. The fifth locks the
-- name for 30 minutes there, and its owner is told, if there is one and nothing else is locked yet.
-- mode: job   shape: rows   class: job
-- $1 tenant    bigint   call.tenant    required
-- $2 username  text     call.username  required
-- $3 source    text     call.source    required
-- $4 began     bigint   call.began     required
-- $5 known     bool     call.known     required
-- $6 kind      text     call.kind      required
-- $7 actor     bigint   call.actor     optional
-- $8 now       bigint   call.now       required
-- $9 address   text     call.address   required
with others as materialized (
  select exists (select from login_attempts l where l.tenant_id = $1::bigint and l.username = $2::text and l.source not in ($3::text, '*')
    and l.attempts >= 5 and l.last_at > ts($8::bigint) - interval '30 minutes') as locked
), c as ( -- first: attempt_begin locks the rows in this order, too
  insert into login_attempts as l (tenant_id, username, source, attempts, last_at)
  select $1::bigint, $2::text, '*', 1, ts($8::bigint) where not $5::boolean
  on conflict (tenant_id, username, source) do update set last_at = excluded.last_at,
    attempts = case when l.last_at <= excluded.last_at - interval '30 minutes' then 1 else l.attempts + 1 end
  returning 1
), f as (
  insert into login_attempts as l (tenant_id, username, source, attempts, last_at)
  select $1::bigint, $2::text, $3::text, 1, ts($8::bigint) from (select count(*) from c) first
  on conflict (tenant_id, username, source) do update set last_at = excluded.last_at, pending = array_remove(l.pending, $4::bigint),
    attempts = case when l.last_at <= excluded.last_at - interval '30 minutes' then 1 else l.attempts + 1 end
  returning attempts
)
select f.attempts, case when f.attempts = 5 and $7::bigint is not null and not others.locked then
  account_event($1::bigint, $6::text, $7::bigint, 'auth.locked', 'auth_locked', $8::bigint, jsonb_build_object('address', $9::text)) end as told
from f, others
