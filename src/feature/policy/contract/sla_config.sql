-- sla/config: the policy and calendar versions in force for a tenant: one for each service type that has its own, and the one for all others.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
-- $2 now     bigint  call.now     required
select distinct on (p.service_type) p.id as policy_id, p.service_type, p.doc as policy, k.id as calendar_id, k.doc as calendar, c.config_version, c.lang,
  l.doc as ladder
from customers c
join sla_configurations p on p.tenant_id in (c.tenant_id, 1)
  and (p.code = c.policy_code or p.service_type is not null) and p.effective_from <= ts($2::bigint)
  and (p.effective_to is null or p.effective_to > ts($2::bigint))
join lateral (
  select k.id, k.doc from calendars k where k.tenant_id in (c.tenant_id, 1) and k.code = p.calendar_code
  order by k.tenant_id desc, k.version desc limit 1
) k on true
left join calendars l on l.id = p.ladder_calendar_id
where c.tenant_id = $1::bigint
order by p.service_type, p.tenant_id desc, p.version desc, p.id desc -- of two policies for a service type, the one that was saved last
