-- cli/tenant_id: the id of a customer by its code.
-- mode: job   shape: rows   class: job
-- $1 code  text  call.code  required
select c.tenant_id
from customers c
where c.code = $1
