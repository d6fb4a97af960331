-- customer/rejects: items from source systems that were rejected, latest first.
-- zh: 源系统送来但被拒收的数据，最近的在前。
-- mode: read   shape: list   class: point   cursor: last_at reject_id
-- $1 limit      int     query.limit  default=50 range=1..200
-- $2 cursor_at  bigint  cursor.0     optional
-- $3 cursor_id  bigint  cursor.1     optional
-- returns reject_id bigint, source text, external_id text, field text, rule text, times integer, first_at timestamptz, last_at timestamptz
select r.id as reject_id, r.source, r.external_id, r.field, r.rule, r.times, r.first_at, r.last_at
from sync_rejects r
where r.tenant_id = any ((select current_setting('app.current_tenants')::bigint[])::bigint[])
  and ($2::bigint is null or (r.last_at, r.id) < (ts($2), $3::bigint))
order by r.last_at desc, r.id desc
limit $1::int
