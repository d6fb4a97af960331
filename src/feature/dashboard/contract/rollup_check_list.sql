-- rollup/check_list: the latest recounts of each customer's dashboard numbers: what was wrong and has been corrected.
-- zh: 数据质量：各客户仪表板数字的核对结果与改正内容。
-- mode: read   shape: list   class: point   cursor: started_at tenant_id
-- $1 limit      int     query.limit  default=200 range=1..200
-- $2 cursor_at  bigint  cursor.0     optional
-- $3 cursor_id  bigint  cursor.1     optional
-- returns tenant_id bigint, code text, started_at timestamptz, done_at timestamptz, tickets bigint, wrong bigint, wrong_rows bigint, left_wrong bigint
select c.tenant_id, t.code, c.started_at, c.done_at, c.tickets, c.wrong, c.wrong_rows, c.left_wrong
from rollup_checks c join customers t on t.tenant_id = c.tenant_id
where $2::bigint is null or (c.started_at, c.tenant_id) < (ts($2), $3::bigint)
order by c.started_at desc, c.tenant_id desc
limit $1::int
