-- sla/config_list: the policies in force for each customer that the caller serves: the general one and those for single service types.
-- zh: 各客户当前生效的 SLA 策略。
-- mode: read   shape: list   class: point   cursor: tenant_id policy_id
-- $1 limit      int     query.limit      default=200 range=1..200
-- $2 cursor_at  bigint  cursor.0         optional
-- $3 cursor_id  bigint  cursor.1         optional
-- $4 now        bigint  session.now      required
-- $5 tenant_id  bigint  query.tenant_id  optional range=1..9007199254740991
-- returns tenant_id bigint, tenant_code text, policy_id bigint, code text, version integer, service_type text, calendar_code text, document jsonb,
-- returns effective_from timestamptz, own boolean
select c.tenant_id, c.code as tenant_code, p.id as policy_id, p.code, p.version, p.service_type, p.calendar_code, p.doc as document, p.effective_from,
  p.tenant_id = c.tenant_id as own
from (
  select x.tenant_id, x.code, x.policy_code from customers x
  where x.tenant_id > 1 and x.tenant_id = any ((select current_setting('app.current_tenants')::bigint[])::bigint[])
    and ($2::bigint is null or x.tenant_id >= $2::bigint) and ($5::bigint is null or x.tenant_id = $5::bigint)
  order by x.tenant_id) c
cross join lateral (
  select distinct on (s.service_type) s.* from sla_configurations s
  where s.tenant_id in (c.tenant_id, 1) and (s.code = c.policy_code or s.service_type is not null) and s.effective_from <= ts($4::bigint)
    and (s.effective_to is null or s.effective_to > ts($4::bigint))
  order by s.service_type, s.tenant_id desc, s.version desc, s.id desc) p
where $2::bigint is null or (c.tenant_id, p.id) > ($2::bigint, coalesce($3::bigint, 0))
order by c.tenant_id, p.id
limit $1::int
