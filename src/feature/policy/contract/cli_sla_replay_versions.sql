-- cli/sla_replay_versions: the newest version of a policy by its code, with its calendar.
-- mode: job   shape: rows   class: job
-- $1 policy  text  call.policy  required
select p.id, k.id
from sla_configurations p
join calendars k on k.code = p.calendar_code and k.tenant_id in (p.tenant_id, 1)
where p.code = $1
order by p.version desc, k.tenant_id desc, k.version desc
limit 1
