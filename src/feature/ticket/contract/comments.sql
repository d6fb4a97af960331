-- ticket/comments: the texts of a ticket, oldest first; customers see only the texts meant for them.
-- zh: 工单的回复与备注，最早的在前。
-- mode: read   shape: list   class: point   cursor: id id
-- $1 id         bigint  path.id      required range=1..9007199254740991
-- $2 limit      int     query.limit  default=100 range=1..200
-- $3 cursor_at  bigint  cursor.0     optional
-- $4 cursor_id  bigint  cursor.1     optional
-- returns id bigint, kind text, audience text, author_kind text, author_id bigint, body text, details jsonb,
-- returns created_at timestamptz, author_name text
select x.id, x.kind, x.audience, x.author_kind, x.author_id, x.body, x.details, x.created_at,
  door.person_name(x.tenant_id, x.author_kind, x.author_id) as author_name
from (
  -- what a page does not hold is not read from the database either: 200 texts can have 16 MB
  select p.*, sum(octet_length(p.body)) over (order by p.id rows between unbounded preceding and 1 preceding) as bytes_before
  from (
    select m.tenant_id, m.id, m.kind, m.audience, m.author_kind, m.author_id, m.body, m.details, m.created_at
    from ticket_comments m
    where m.ticket_id = $1::bigint and m.tenant_id = any ((select current_setting('app.current_tenants')::bigint[])::bigint[])
      and ($3::bigint is null or m.id > coalesce($4::bigint, 0))
      and m.created_at >= (select t.opened_at - interval '1 day' from tickets t -- partitions before it are skipped
        where t.id = $1::bigint and t.tenant_id = any ((select current_setting('app.current_tenants')::bigint[])::bigint[]))
    order by m.id
    limit $2::int) p
) x
where coalesce(x.bytes_before, 0) < 1048576
order by x.id
