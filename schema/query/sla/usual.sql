-- sla/usual: the most frequent priority of a tenant's recent confirmed tickets, by service type.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
select distinct on (x.service_type) x.service_type, x.priority
from (
  select r.service_type, r.priority, count(*) as n
  from (select t.service_type, t.priority from tickets t where t.tenant_id = $1::bigint order by t.opened_at desc, t.id desc limit 200) r
  group by r.service_type, r.priority
) x
where x.n >= 10
order by x.service_type, x.n desc
