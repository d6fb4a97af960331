-- sla/policy_new: create a version of a policy; it applies to tickets created from now on, or rebound. No row: a calendar that it names does not exist.
-- mode: job   shape: rows   class: job
-- $1 tenant     bigint  call.tenant     required
-- $2 code       text    call.code       required
-- $3 service    text    call.service    optional
-- $4 calendar   text    call.calendar   required
-- $5 doc        json    call.doc        required
-- $6 effective  bigint  call.effective  required
with o as (
  select coalesce(max(p.version), 0) as version from sla_configurations p where p.tenant_id = $1::bigint and p.code = $2::text
), n as (
  insert into sla_configurations (tenant_id, code, version, service_type, calendar_code, doc, effective_from)
  select $1::bigint, $2::text, o.version + 1, $3::text, $4::text, $5::jsonb, ts($6::bigint)
  from o
  where exists (select from calendars k where k.tenant_id in ($1::bigint, 1) and k.code = $4::text)
    and (not $5::jsonb ? 'delivery_hours'
      or exists (select from calendars k where k.tenant_id in ($1::bigint, 1) and k.code = $5::jsonb ->> 'delivery_hours'))
  returning id, version
), u as (
  update customers c set config_version = c.config_version + 1 from n where c.tenant_id = $1::bigint or $1::bigint = 1
)
select n.id, n.version from n
