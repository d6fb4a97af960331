-- sla/check_list: the nightly checks of each customer's clocks: how many tickets were checked, and how many differed from their history.
-- zh: 每夜对各客户时钟的核对：核对的工单数，以及与历史不符的工单数。
-- mode: read   shape: list   class: point   cursor: started_at tenant_id
-- $1 limit      int     query.limit  default=200 range=1..200
-- $2 cursor_at  bigint  cursor.0     optional
-- $3 cursor_id  bigint  cursor.1     optional
-- returns tenant_id bigint, code text, started_at timestamptz, done_at timestamptz, tickets bigint, differences bigint
select c.tenant_id, t.code, c.started_at, c.done_at, c.tickets, c.differences
from sla_checks c join customers t on t.tenant_id = c.tenant_id
where $2::bigint is null or (c.started_at, c.tenant_id) < (ts($2), $3::bigint)
order by c.started_at desc, c.tenant_id desc
limit $1::int
