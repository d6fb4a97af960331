-- ticket/history: the events of a ticket in order.
-- zh: 工单的历史事件。
-- mode: read   shape: list   class: point   cursor: seq seq
-- $1 id         bigint  path.id      required range=1..9007199254740991
-- $2 limit      int     query.limit  default=100 range=1..200
-- $3 cursor_at  bigint  cursor.0     optional
-- $4 cursor_id  bigint  cursor.1     optional
-- returns seq bigint, type text, actor_kind text, actor_id bigint, audience text, at timestamptz, data jsonb
select x.seq, x.type, x.actor_kind, x.actor_id, x.audience, x.at, x.data
from (
  select p.*, sum(octet_length(p.data::text)) over (order by p.seq rows between unbounded preceding and 1 preceding) as bytes_before
  from (
    select e.seq, e.type, e.actor_kind, e.actor_id, e.audience, e.at, e.data
    from events e
    where e.ticket_id = $1::bigint and e.tenant_id = any ((select current_setting('app.current_tenants')::bigint[])::bigint[])
      and ($3::bigint is null or e.seq > coalesce($4::bigint, 0))
      and e.at >= (select t.opened_at - interval '1 day' from tickets t -- partitions before it are skipped
        where t.id = $1::bigint and t.tenant_id = any ((select current_setting('app.current_tenants')::bigint[])::bigint[]))
    order by e.seq
    limit $2::int) p
) x
where coalesce(x.bytes_before, 0) < 1048576 -- a page ends where it is full
order by x.seq
