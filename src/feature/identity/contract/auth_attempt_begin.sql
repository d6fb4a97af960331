-- auth/attempt_begin: count a login attempt before its password is checked, so that no more than five run at once. No row with attempts: the name is locked, or (busy) the current attempts are not decided yet.
-- mode: job   shape: rows   class: job
-- $1 tenant    text    call.tenant    required
-- $2 username  text    call.username  required
-- $3 now       bigint  call.now       required
with t as materialized (
  select case when $1::text = 'provider' then 1 else coalesce((select c.tenant_id from customers c
    where c.code = $1::text or c.tenant_id::text = $1::text or 'host:' || c.host = $1::text limit 1), 0) end as tenant_id
), a as (
  insert into login_attempts as l (tenant_id, username, attempts, last_at)
  select t.tenant_id, lower($2::text), 1, ts($3::bigint) from t
  on conflict (tenant_id, username) do update set last_at = excluded.last_at,
    attempts = case when l.last_at <= excluded.last_at - interval '30 minutes' then 1 else l.attempts + 1 end
  where l.attempts < 5 or l.last_at <= excluded.last_at - interval '30 minutes'
  returning attempts
)
select t.tenant_id, a.attempts,
  -- a name that is not locked by earlier attempts and was refused all the same has attempts of this very moment
  a.attempts is null and not exists (select 1 from login_attempts l
    where l.tenant_id = t.tenant_id and l.username = lower($2::text)
      and l.last_at > ts($3::bigint) - interval '30 minutes' and l.last_at < ts($3::bigint) - interval '3 seconds') as busy
from t left join a on true
