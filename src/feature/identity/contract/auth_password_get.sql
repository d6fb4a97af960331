-- auth/password_get: a user's password hash and the five before it, newest first.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
-- $2 kind    text    call.kind    required
-- $3 actor   bigint  call.actor   required
select h.password_hash from (
  select coalesce(s.password_hash, u.password_hash) as password_hash, 'infinity'::timestamptz as set_at
  from (select 1) x
  left join staff s on $2::text = 'staff' and s.tenant_id = $1::bigint and s.id = $3::bigint
  left join client_users u on $2::text = 'customer' and u.tenant_id = $1::bigint and u.id = $3::bigint
  union all
  select p.password_hash, p.set_at from password_history p
  where p.tenant_id = $1::bigint and p.actor_kind = $2::text and p.actor_id = $3::bigint
) h
where h.password_hash is not null
order by h.set_at desc
limit 5
