-- export/list: my exports, newest first; with export:all, all exports of the company.
-- zh: 我的导出任务，最近的在前；有 export:all 权限者可见全公司的。
-- mode: read   shape: list   class: point   cursor: created_at id
-- $1 limit       int     query.limit    default=50 range=1..200
-- $2 cursor_at   bigint  cursor.0       optional
-- $3 cursor_id   bigint  cursor.1       optional
-- $4 user        bigint  session.customer  required
-- $5 all         bool    session.may.export:all   required
-- returns id bigint, export_id text, export_type text, format text, status text, records bigint, complete boolean, size_bytes bigint, file_id bigint, error text,
-- returns created_at timestamptz, done_at timestamptz, expires_at timestamptz
select e.id, e.export_no as export_id, e.export_type, e.format, e.status, e.records, e.complete, f.bytes as size_bytes, f.id as file_id, e.error, e.created_at,
  e.done_at, e.expires_at
from exports_seen e
left join files f on f.tenant_id = e.tenant_id and f.id = e.file_id and f.whole
where e.tenant_id = any ((select current_setting('app.current_tenants')::bigint[])::bigint[])
  and (e.user_id = $4::bigint or $5::bool)
  and ($2::bigint is null or (e.created_at, e.id) < (ts($2), $3::bigint))
order by e.created_at desc, e.id desc
limit $1::int
