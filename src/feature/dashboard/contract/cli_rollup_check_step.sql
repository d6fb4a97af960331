-- cli/rollup_check_step: one step of recounting the dashboard numbers of all customers now.
-- mode: job   shape: rows   class: job
-- $1 now  bigint  call.now  required
select c.code, x.tickets, x.wrong, coalesce(x.wrong_rows, 0), x.left_wrong, x.done_at is not null
from rollup_check($1::bigint, 0, 500) x
join customers c on c.tenant_id = x.tenant_id
