-- cli/demo_users: a customer's users.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
select u.id, u.username
from client_users u
where u.tenant_id = $1::bigint and u.disabled_at is null
order by u.id
