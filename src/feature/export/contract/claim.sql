-- export/claim: claim the oldest export that nobody is writing, for one minute; what an earlier writer stored is discarded. After the third claim it is given up.
-- mode: job   shape: rows   class: job
-- $1 now  bigint  call.now  required
with x as materialized (
  select e.tenant_id, e.id from exports e
  where e.status = 'processing' and (e.claim_until is null or e.claim_until < ts($1::bigint))
  order by e.id limit 1 for update skip locked
), gone as (
  delete from files f using exports e, x where e.tenant_id = x.tenant_id and e.id = x.id and f.tenant_id = e.tenant_id and f.id = e.file_id
), file as (
  insert into files (tenant_id, name, content_type, created_at, expires_at)
  select e.tenant_id, lower(e.export_no) || '.' || e.format || case when e.compressed then '.gz' else '' end,
    case when e.compressed then 'application/gzip' when e.format = 'csv' then 'text/csv; charset=utf-8' else 'application/json' end, ts($1::bigint), e.expires_at
  from exports e join x on e.tenant_id = x.tenant_id and e.id = x.id where e.attempts < 3
  returning tenant_id, id
), u as (
  update exports e set attempts = e.attempts + 1, claim_until = ts($1::bigint) + interval '60 seconds', records = 0, file_id = f.id,
    status = case when f.id is null then 'failed' else e.status end, error = case when f.id is null then 'not_written' end,
    done_at = case when f.id is null then ts($1::bigint) end
  from x left join file f on true where e.tenant_id = x.tenant_id and e.id = x.id
  returning e.*
)
select u.tenant_id, u.id, u.user_id, u.file_id, u.format, array_to_string(u.columns, ' ') as columns, u.statuses::text as statuses,
  u.priorities::text as priorities, u.service_types::text as service_types, u.from_day::text as from_day, u.to_day::text as to_day, u.scope,
  u.headers, u.compressed, u.max_records, u.status = 'processing' as goes_on
from u
