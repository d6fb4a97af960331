-- user/rights_check: may the giver do to this user what gives power over the account? No row: no such user.
-- mode: read   shape: rows   class: point
-- $1 user_id  bigint  call.user_id  required
-- $2 giver    json    call.giver    required
select case when $2::jsonb ->> 'kind' = 'customer' and ($2::jsonb ->> 'id')::bigint = u.id then 'self'
  else grant_fault(u.tenant_id, $2::jsonb, u.id, u.role_type) end as fault
from client_users u
where u.tenant_id = (select current_setting('app.current_tenant_id')::bigint) and u.id = $1::bigint
limit 1
