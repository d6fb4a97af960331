-- rollup/range: SLA attainment from one day to another, for all service types or one, and the number of breaches.
-- mode: read   shape: rows   class: point
-- $1 tenant        bigint  call.tenant        required
-- $2 first         text    call.first         required
-- $3 last          text    call.last          required
-- $4 service_type  text    call.service_type  optional
select coalesce(sum(r.opened), 0)::bigint as opened, coalesce(sum(r.response_n), 0)::bigint as response_n,
  coalesce(sum(r.response_s), 0)::bigint as response_s, coalesce(sum(r.resolution_n), 0)::bigint as resolution_n,
  coalesce(sum(r.resolution_s), 0)::bigint as resolution_s, coalesce(sum(r.decided), 0)::bigint as decided, coalesce(sum(r.met), 0)::bigint as met,
  coalesce(sum(r.counted), 0)::bigint as counted, coalesce(sum(r.met_counted), 0)::bigint as met_counted
from rollups r
where r.tenant_id = $1::bigint and r.day >= $2::date and r.day <= $3::date and ($4::text is null or r.service_type = $4::text)
