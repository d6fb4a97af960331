-- cli/rca: the root-cause analyses that are not done, the earliest due first.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  optional
-- $2 limit   int     call.limit   required
select c.code as tenant, t.number, r.priority, s.username as owner, r.breached_at, r.due_at, r.overdue_at is not null as overdue, t.title
from rca_tasks r
join customers c on c.tenant_id = r.tenant_id
join tickets t on t.tenant_id = r.tenant_id and t.id = r.ticket_id
left join staff s on s.tenant_id = 1 and s.id = r.owner_id
where r.done_at is null and ($1::bigint is null or r.tenant_id = $1::bigint)
order by r.due_at, r.id
limit $2::int
