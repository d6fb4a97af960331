-- cli/isolation_session: a short session of one of a customer's users, its administrator first.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
-- $2 now     time    call.now     required
-- $3 until   time    call.until   required
insert into sessions (tenant_id, actor_kind, actor_id, created_at, expires_at, device, method)
select $1::bigint, 'customer', u.id, $2::timestamptz, $3::timestamptz, 'isolation check', 'check'
from client_users u
where u.tenant_id = $1::bigint and u.disabled_at is null and not u.must_change
order by (u.role_type = 'admin') desc, u.id
limit 1
returning id
