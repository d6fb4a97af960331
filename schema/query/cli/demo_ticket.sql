-- cli/demo_ticket: what a demo ticket of a customer's user is created with.
-- mode: job   shape: rows   class: job
-- $1 code  text  call.code  required
select c.tenant_id, p.id, k.id, p.doc, k.doc, u.id, c.config_version
from customers c
join sla_configurations p on p.tenant_id = 1 and p.code = c.policy_code
join calendars k on k.tenant_id = 1 and k.code = p.calendar_code
join client_users u on u.tenant_id = c.tenant_id and u.username = 'user'
where c.code = $1
order by p.version desc, k.version desc
limit 1
