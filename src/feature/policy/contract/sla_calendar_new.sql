-- sla/calendar_new: create a version of a calendar. A version that only adds future dates takes over the tickets of earlier versions.
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
), u as (
  update customers c set config_version = c.config_version + 1 where c.tenant_id = $1::bigint or $1::bigint = 1
)
select n.id, n.version from n
