-- cli/live_since: a tenant with imported tickets, and the last instant of its logs.
-- mode: job   shape: rows   class: job
-- $1 code  text  call.code  required
select c.tenant_id, us(max(b.log_until))
from customers c
join import_batches b on b.tenant_id = c.tenant_id
where c.code = $1
group by c.tenant_id
