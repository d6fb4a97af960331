-- cli/import_target: the tenant, policy and calendar that a log is replayed with.
-- mode: job   shape: rows   class: job
-- $1 code    text  call.code    required
-- $2 policy  text  call.policy  required
select c.tenant_id, p.id, k.id, p.doc, k.doc
from customers c
join sla_configurations p on p.tenant_id in (c.tenant_id, 1) and p.code = $2
join calendars k on k.tenant_id in (c.tenant_id, 1) and k.code = p.calendar_code
where c.code = $1
order by p.version desc, k.version desc
limit 1
