-- sla/difference_list: the tickets whose stored clocks are not what their history gives, and both.
-- zh: 存储的时钟与由历史重新计算的结果不符的工单，及两者的内容。
-- mode: read   shape: list   class: point   cursor: ticket_id ticket_id
-- $1 limit      int     query.limit  default=200 range=1..200
-- $2 cursor_at  bigint  cursor.0     optional
-- $3 cursor_id  bigint  cursor.1     optional
-- returns tenant_id bigint, code text, ticket_id bigint, number text, clocks jsonb, found_at timestamptz
select d.tenant_id, c.code, d.ticket_id, t.number, d.clocks, d.found_at
from sla_differences d
join tickets t on t.tenant_id = d.tenant_id and t.id = d.ticket_id
join customers c on c.tenant_id = d.tenant_id
where $2::bigint is null or d.ticket_id > $3::bigint
order by d.ticket_id
limit $1::int
