-- auth/reset_get: the owner of a reset link that can still be used, with the earlier passwords that are refused, newest first.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
-- $2 id      bigint  call.id      required
-- $3 now     bigint  call.now     required
select r.actor_kind, r.actor_id, a.username, h.password_hash
from password_resets r
cross join lateral account_live(r.tenant_id, r.actor_kind, r.actor_id) a
left join staff s on r.actor_kind = 'staff' and s.tenant_id = r.tenant_id and s.id = r.actor_id
left join client_users u on r.actor_kind = 'customer' and u.tenant_id = r.tenant_id and u.id = r.actor_id
cross join lateral (
  select x.password_hash from (
    select coalesce(s.password_hash, u.password_hash) as password_hash, 'infinity'::timestamptz as set_at
    union all
    select p.password_hash, p.set_at from password_history p
    where p.tenant_id = r.tenant_id and p.actor_kind = r.actor_kind and p.actor_id = r.actor_id) x
  where x.password_hash is not null
  order by x.set_at desc
  limit 5) h
where r.tenant_id = $1::bigint and r.id = $2::bigint and r.purpose = 'reset' and r.used_at is null and r.asked_at > ts($3::bigint) - interval '1 hour'
