-- cli/tenants: the tenants, or the one with a code.
-- mode: job   shape: rows   class: job
-- $1 code  text  call.code  required
select c.tenant_id, c.code
from customers c
where $1 in ('', c.code)
order by c.tenant_id
