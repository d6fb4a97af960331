-- sla/policy_list: the policy versions that the caller's tenants are bound to.
-- zh: SLA 策略的全部版本。
-- mode: read   shape: list   class: point   cursor: id id
-- $1 limit      int     query.limit  default=200 range=1..200
-- $2 cursor_at  bigint  cursor.0     optional
-- $3 cursor_id  bigint  cursor.1     optional
-- $4 now        bigint  session.now  required
-- returns id bigint, tenant_id bigint, code text, version integer, service_type text, service_name text, calendar_code text, doc jsonb, sla_targets jsonb, in_force boolean,
-- returns effective_from timestamptz, effective_to timestamptz
select p.id, p.tenant_id, p.code, p.version, p.service_type, p.service_name, p.calendar_code, p.doc, sla_minutes(p.doc) as sla_targets,
  sla_in_force(p, ts($4::bigint)) as in_force, p.effective_from, p.effective_to
from sla_configurations p
where $2::bigint is null or p.id > coalesce($3::bigint, 0)
order by p.id
limit $1::int
