-- notify/dead: the notifications that were given up, newest first: to whom, about which ticket, and why.
-- zh: 已放弃的通知，最新的在前：收件人、所涉及的工单与原因。
-- mode: read   shape: list   class: point   cursor: created_us id
-- $1 limit      int     query.limit  default=50 range=1..200
-- $2 cursor_at  bigint  cursor.0     optional
-- $3 cursor_id  bigint  cursor.1     optional
-- returns id bigint, tenant_id bigint, tenant_name text, ticket_id bigint, number text, recipient_kind text, recipient_id bigint, recipient_name text,
-- returns channel text, template text, attempts integer, last_error text, created_at timestamptz, created_us bigint
select n.id, n.tenant_id, c.name as tenant_name, n.ticket_id, t.number, n.recipient_kind, n.recipient_id,
  case n.recipient_kind when 'webhook' then null else door.person_name(n.tenant_id, n.recipient_kind, n.recipient_id) end as recipient_name,
  n.channel, n.template, n.attempts, n.last_error, n.created_at, us(n.created_at) as created_us
from notifications n
join customers c on c.tenant_id = n.tenant_id
left join tickets t on t.tenant_id = n.tenant_id and t.id = n.ticket_id
where n.state = 'dead' and n.tenant_id = any ((select current_setting('app.current_tenants')::bigint[])::bigint[])
  and ($2::bigint is null or (n.created_at, n.id) < (ts($2::bigint), coalesce($3::bigint, 0)))
order by n.created_at desc, n.id desc
limit $1::int
