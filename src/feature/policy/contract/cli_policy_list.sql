-- cli/policy_list: the newest version of each policy, of the provider or of a customer with what it can use.
-- mode: job   shape: rows   class: job
-- $1 tenant  text  call.tenant  required
select distinct on (p.tenant_id, p.code) k.code as tenant, p.code, p.version, coalesce(p.service_type, '-'), p.calendar_code, p.effective_from,
  (select string_agg(x.code, ',' order by x.code) from customers x where x.tenant_id > 1 and x.policy_code = p.code and p.tenant_id in (1, x.tenant_id)) as customers
from sla_configurations p join customers k on k.tenant_id = p.tenant_id
where $1 = '' or p.tenant_id = $1::bigint or p.tenant_id = 1
order by p.tenant_id, p.code, p.version desc
