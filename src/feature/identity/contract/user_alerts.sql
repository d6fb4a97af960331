-- user/alerts: unusual logins of a customer's users, newest first.
-- zh: 异常登录记录，最近的在前。
-- mode: read   shape: list   class: point   cursor: at alert_id
-- $1 limit      int     query.limit      default=50 range=1..200
-- $2 cursor_at  bigint  cursor.0         optional
-- $3 cursor_id  bigint  cursor.1         optional
-- $4 tenant_id  bigint  query.tenant_id  optional range=1..9007199254740991
-- $5 username   text    query.username   optional len=1..100
-- returns alert_id bigint, tenant_id bigint, user_id bigint, username text, reasons text[], ip_address text, device text, place text, at timestamptz
select a.id as alert_id, a.tenant_id, a.actor_id as user_id, a.username, a.reasons,
  sealed_at('sign_in_alerts.address', a.tenant_id, sealed_row(a), a.address) as ip_address, a.device, a.place, a.at
from sign_in_alerts a
where a.tenant_id = any ((select current_setting('app.current_tenants')::bigint[])::bigint[])
  and ($4::bigint is null or a.tenant_id = $4::bigint) and ($5::text is null or a.username = $5::text)
  and ($2::bigint is null or (a.at, a.id) < (ts($2), $3::bigint))
order by a.at desc, a.id desc
limit $1::int
