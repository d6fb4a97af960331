-- sla/policy_new: create a version of a policy; it applies to tickets created from now on, or rebound. No id: the field that names something that does not exist or, if it is "format", the newest form that all running instances read.
-- mode: job   shape: rows   class: job
-- $1 tenant     bigint  call.tenant     required
-- $2 code       text    call.code       required
-- $3 service    text    call.service    optional
-- $4 calendar   text    call.calendar   required
-- $5 doc        json    call.doc        required
-- $6 effective  bigint  call.effective  required
-- $7 format     int     call.format     required
-- $8 name       text    call.name       optional
-- $9 by_kind    text    call.by_kind    optional
-- $10 by        bigint  call.by         optional
-- $11 now       bigint  call.now        required
with o as (
  select coalesce(max(p.version), 0) as version from sla_configurations p where p.tenant_id = $1::bigint and p.code = $2::text
), r as (
  select case
    when not exists (select from calendars k where k.tenant_id in ($1::bigint, 1) and k.code = $4::text) then 'calendar'
    when $5::jsonb ? 'delivery_hours'
      and not exists (select from calendars k where k.tenant_id in ($1::bigint, 1) and k.code = $5::jsonb ->> 'delivery_hours') then 'document.delivery_hours'
    when coalesce($5::jsonb -> 'ladder' ? 'calendar', false)
      and not exists (select from calendars k where k.tenant_id in ($1::bigint, 1) and k.code = $5::jsonb -> 'ladder' ->> 'calendar') then 'document.ladder.calendar'
    when jsonb_array_length($5::jsonb -> 'notifications') > 0 then matrix_fault($5::jsonb -> 'notifications')
    end as fault
), x as (
  select coalesce(r.fault, case when policy_format_read() < $7::int then 'format' end) as fault from r
), n as (
  insert into sla_configurations (tenant_id, code, version, service_type, service_name, calendar_code, doc, effective_from, created_by_kind, created_by, created_at)
  select $1::bigint, $2::text, o.version + 1, $3::text, $8::text, $4::text, $5::jsonb, ts($6::bigint), $9::text, $10::bigint, ts($11::bigint)
  from o, x
  where x.fault is null
  returning id, version
), u as (
  update customers c set config_version = c.config_version + 1 from n where c.tenant_id = $1::bigint or $1::bigint = 1
)
select n.id, n.version, x.fault, policy_format_read() as format from x left join n on true
