-- reconcile/list: the latest comparisons with source systems: tickets that differed, were repaired, and still differ.
-- zh: 数据一致性：与源系统的核对结果、已修复数与仍存在的差异。
-- mode: read   shape: list   class: point
-- returns tenant_id bigint, code text, started_at timestamptz, ended_at timestamptz, state text, theirs bigint, ours bigint, differing bigint,
-- returns repaired bigint, left_over jsonb
select c.tenant_id, t.code, c.started_at, c.ended_at, c.state, c.theirs, c.ours, c.differing, c.repaired, c.left_over
from source_checks c join customers t on t.tenant_id = c.tenant_id
where c.tenant_id = any ((select current_setting('app.current_tenants')::bigint[])::bigint[])
order by c.started_at desc, c.tenant_id
limit 200
