-- auth/address_confirm: the owner of a mail address that an administrator has given confirms it by the mailed link, once and within seven days.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
-- $2 id      bigint  call.id      required
-- $3 now     bigint  call.now     required
with r as (
  update password_resets x set used_at = ts($3::bigint)
  where x.tenant_id = $1::bigint and x.id = $2::bigint and x.purpose = 'address' and x.used_at is null and x.asked_at > ts($3::bigint) - interval '7 days'
  returning x.tenant_id, x.actor_kind, x.actor_id
), u as (
  update client_users u set address_given_at = null
  from r cross join lateral account_live(r.tenant_id, r.actor_kind, r.actor_id) a
  where u.tenant_id = r.tenant_id and u.id = r.actor_id and r.actor_kind = 'customer'
  returning u.tenant_id, u.id, u.username
)
select u.id, u.username, account_event(u.tenant_id, 'customer', u.id, 'auth.address_confirmed', null, $3::bigint, '{}') as told
from u
