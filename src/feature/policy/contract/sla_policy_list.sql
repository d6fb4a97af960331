-- sla/policy_list: the policy versions that the caller's tenants are bound to.
-- zh: SLA 策略的全部版本。
-- mode: read   shape: list   class: point
-- returns id bigint, tenant_id bigint, code text, version integer, service_type text, calendar_code text, doc jsonb,
-- returns effective_from timestamptz, effective_to timestamptz
select p.id, p.tenant_id, p.code, p.version, p.service_type, p.calendar_code, p.doc, p.effective_from, p.effective_to
from sla_configurations p
order by p.code, p.version
limit 200
