-- cli/tenant_list: all tenants, for people.
-- mode: job   shape: rows   class: job
select c.tenant_id, c.code, c.name, c.lang, c.policy_code, c.status
from customers c
order by c.tenant_id
