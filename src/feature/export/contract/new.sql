-- export/new: create a job that exports the tickets visible to its creator. No row: ten jobs are waiting already.
-- mode: write   shape: rows   class: point
-- $1 user           bigint  call.user           required
-- $2 format         text    call.format         required
-- $3 columns        text    call.columns        required
-- $4 statuses       text    call.statuses       optional
-- $5 priorities     text    call.priorities     optional
-- $6 service_types  text    call.service_types  optional
-- $7 from           text    call.from           optional
-- $8 to             text    call.to             optional
-- $9 scope          text    call.scope          required
-- $10 headers       bool    call.headers        required
-- $11 compressed    bool    call.compressed     required
-- $12 max_records   bigint  call.max_records    required
-- $13 now           bigint  call.now            required
with l as materialized (
  select pg_advisory_xact_lock(7334, ((select current_setting('app.current_tenant_id')::bigint) % 2147483647)::int)
), n as materialized (
  select c.tenant_id, (ts($13::bigint) at time zone 'UTC')::date as day, (select count(*) from (select 1
    from export_rows($4::text[], $5::text[], $6::text[], $7::date, $8::date) limit $12::bigint) x) as estimated
  from customers c, l where c.tenant_id = (select current_setting('app.current_tenant_id')::bigint)
)
insert into exports (tenant_id, day, day_no, user_id, export_type, format, columns, statuses, priorities, service_types, from_day, to_day, scope, headers,
  compressed, max_records, estimated, created_at, expires_at)
select n.tenant_id, n.day, 1 + coalesce((select max(e.day_no) from exports e where e.tenant_id = n.tenant_id and e.day = n.day), 0), $1::bigint, 'ticket_data',
  $2::text, $3::text[], $4::text[], $5::text[], $6::text[], $7::date, $8::date, $9::text, $10::bool, $11::bool, $12::bigint, n.estimated,
  ts($13::bigint), ts($13::bigint) + interval '7 days'
from n where (select count(*) from exports e where e.tenant_id = n.tenant_id and e.status = 'processing') < 10
returning export_no, status, estimated, expires_at
