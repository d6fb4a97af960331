-- reconcile/list: the latest comparisons with source systems: tickets that differed, were repaired, and still differ.
-- zh: 数据一致性：与源系统的核对结果、已修复数与仍存在的差异。
-- mode: read   shape: list   class: point   cursor: started_at tenant_id
-- $1 limit      int     query.limit  default=200 range=1..200
-- $2 cursor_at  bigint  cursor.0     optional
-- $3 cursor_id  bigint  cursor.1     optional
-- returns tenant_id bigint, code text, started_at timestamptz, ended_at timestamptz, state text, theirs bigint, ours bigint, differing bigint,
-- returns repaired bigint, left_over jsonb
select c.tenant_id, t.code, c.started_at, c.ended_at, c.state, c.theirs, c.ours, c.differing, c.repaired, c.left_over
from source_checks c join customers t on t.tenant_id = c.tenant_id
where c.tenant_id = any ((select current_setting('app.current_tenants')::bigint[])::bigint[])
  and ($2::bigint is null or (c.started_at, c.tenant_id) < (ts($2), $3::bigint))
order by c.started_at desc, c.tenant_id desc
limit $1::int
