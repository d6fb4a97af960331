-- cli/staff_customers: the customers that a member of the staff serves.
-- mode: job   shape: rows   class: job
-- $1 username  text  call.username  required
select c.code, c.name, c.status
from staff s join customers c on c.tenant_id > 1
  and (s.serves_all or exists (select from staff_tenants x where x.tenant_id = c.tenant_id and x.staff_id = s.id))
where s.tenant_id = 1 and s.username = $1::text
order by c.code
