-- ticket/rca: the root-cause analyses that breaches of resolution deadlines have begun, the earliest due first; can be limited to one ticket and to those that are open, overdue or done.
-- zh: 因解决时限违约而开始的根因分析，最早到期的在前。
-- mode: read   shape: list   class: point   cursor: due_at id
-- $1 limit      int     query.limit      default=50 range=1..200
-- $2 cursor_at  bigint  cursor.0         optional
-- $3 cursor_id  bigint  cursor.1         optional
-- $4 ticket_id  bigint  query.ticket_id  optional range=1..9007199254740991
-- $5 state      text    query.state      optional in=open|overdue|done
-- returns id bigint, ticket_id bigint, number text, tenant_id bigint, tenant_name text, title text, priority text, priority_label text, cycle integer, owner_id bigint,
-- returns owner_name text, breached_at timestamptz, opened_at timestamptz, due_at timestamptz, state text, done_at timestamptz, done_by bigint,
-- returns done_by_name text
select r.id, r.ticket_id, t.number, r.tenant_id, c.name as tenant_name, t.title, r.priority, r.priority as priority_label, r.cycle, r.owner_id,
  door.person_name(r.tenant_id, 'staff', r.owner_id) as owner_name, r.breached_at, r.opened_at, r.due_at,
  case when r.done_at is not null then 'done' when r.overdue_at is not null then 'overdue' else 'open' end as state,
  r.done_at, r.done_by, door.person_name(r.tenant_id, 'staff', r.done_by) as done_by_name
from rca_tasks r
join tickets t on t.tenant_id = r.tenant_id and t.id = r.ticket_id
join customers c on c.tenant_id = r.tenant_id
where r.tenant_id = any ((select current_setting('app.current_tenants')::bigint[])::bigint[])
  and ($4::bigint is null or r.ticket_id = $4)
  and case $5::text when 'open' then r.done_at is null when 'overdue' then r.done_at is null and r.overdue_at is not null
    when 'done' then r.done_at is not null else true end
  and ($2::bigint is null or (r.due_at, r.id) > (ts($2), $3::bigint))
order by r.due_at, r.id
limit $1::int
