-- cli/demo_ticket: the versions that the tickets of a customer of the demo are bound to.
-- mode: job   shape: rows   class: job
-- $1 code     text  call.code     required
-- $2 billing  bool  call.billing  required
select c.tenant_id, p.id, k.id, c.config_version
from customers c
join sla_configurations p on p.tenant_id in (c.tenant_id, 1) and p.code = case when $2::bool then 'billing' else c.policy_code end
join calendars k on k.tenant_id in (c.tenant_id, 1) and k.code = p.calendar_code
where c.code = $1
order by p.tenant_id desc, p.version desc, k.tenant_id desc, k.version desc
limit 1
