-- cli/policy_show: the document of a policy, of its newest version or of one.
-- mode: job   shape: rows   class: job
-- $1 tenant   bigint  call.tenant   required
-- $2 code     text    call.code     required
-- $3 version  text    call.version  required
select jsonb_pretty(p.doc || jsonb_build_object('calendar', p.calendar_code))
from sla_configurations p
where p.tenant_id in ($1::bigint, 1) and p.code = $2 and ($3 = '' or p.version = $3::int)
order by p.tenant_id desc, p.version desc
limit 1
