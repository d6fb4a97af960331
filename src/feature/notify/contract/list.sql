-- notify/list: the notifications of a ticket, their recipients, and whether they were delivered.
-- zh: 工单的通知、收件人及投递结果。
-- mode: read   shape: list   class: point   cursor: id id
-- $1 id  bigint  path.id  required range=1..9007199254740991
-- $2 limit      int     query.limit  default=200 range=1..200
-- $3 cursor_at  bigint  cursor.0     optional
-- $4 cursor_id  bigint  cursor.1     optional
-- returns id bigint, event_seq bigint, recipient_kind text, recipient_id bigint, channel text, template text, state text,
-- returns attempts integer, last_error text, created_at timestamptz, sent_at timestamptz
select n.id, n.event_seq, n.recipient_kind, n.recipient_id, n.channel, n.template, n.state, n.attempts, n.last_error, n.created_at, n.sent_at
from notifications n
where n.ticket_id = $1::bigint and n.tenant_id = any ((select current_setting('app.current_tenants')::bigint[])::bigint[])
  and ($3::bigint is null or n.id > coalesce($4::bigint, 0))
order by n.id
limit $2::int
