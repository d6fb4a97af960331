-- sla/calendar_new: create a version of a calendar. A version that only adds future dates takes over the tickets of earlier versions. A policy whose
-- ladder runs in the calendar gets a version with it; the ladders of tickets that are bound to earlier ones stay.
-- mode: job   shape: rows   class: job
-- $1 tenant    bigint  call.tenant    required
-- $2 code      text    call.code      required
-- $3 version   int     call.version   required
-- $4 doc       json    call.doc       required
-- $5 now       bigint  call.now       required
-- $6 additive  bool    call.additive  required
with n as (
  insert into calendars (tenant_id, code, version, doc, created_at)
  values ($1::bigint, $2::text, $3::int, $4::jsonb, ts($5::bigint))
  returning id, version
), r as (
  update calendars k set replaced_by = n.id, rebound_at = null
  from n
  where $6::bool and k.tenant_id = $1::bigint and k.code = $2::text
    and (k.version = $3::int - 1 or k.replaced_by = (select p.id from calendars p where p.tenant_id = $1::bigint and p.code = $2::text
      and p.version = $3::int - 1))
), p as (
  insert into sla_configurations (tenant_id, code, version, service_type, service_name, calendar_code, doc, effective_from, effective_to,
    ladder_calendar_id, created_at)
  select p.tenant_id, p.code, p.version + 1, p.service_type, p.service_name, p.calendar_code, p.doc, greatest(p.effective_from, ts($5::bigint)), p.effective_to, n.id, ts($5::bigint)
  from (select distinct on (s.tenant_id, s.code) s.* from sla_configurations s order by s.tenant_id, s.code, s.version desc) p
  join calendars k on k.id = p.ladder_calendar_id and k.tenant_id = $1::bigint and k.code = $2::text
  cross join n
  where p.effective_to is null or p.effective_to > ts($5::bigint)
), u as (
  update customers c set config_version = c.config_version + 1 where c.tenant_id = $1::bigint or $1::bigint = 1
)
select n.id, n.version from n
