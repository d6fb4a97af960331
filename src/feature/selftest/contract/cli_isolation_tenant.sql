-- cli/isolation_tenant: the id of a customer by its code; the provider is none.
-- mode: job   shape: rows   class: job
-- $1 code  text  call.code  required
select c.tenant_id
from customers c
where c.code = $1 and c.tenant_id > 1
