-- cli/reports: the reports that are not ticked off, the earliest due first.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  optional
-- $2 limit   int     call.limit   required
select c.code as tenant, t.number, t.priority, s.username as engineer, m.due_at, m.state <> 'pending' as overdue, t.title
from timers m
join customers c on c.tenant_id = m.tenant_id
join tickets t on t.tenant_id = m.tenant_id and t.id = m.subject_id
left join staff s on s.tenant_id = 1 and s.id = t.assignee_id
where m.kind = 'report-due' and m.state <> 'cancelled' and not m.payload ? 'by' and t.status not in ('cancelled', 'merged')
  and ($1::bigint is null or m.tenant_id = $1::bigint)
order by m.due_at, m.id
limit $2::int
