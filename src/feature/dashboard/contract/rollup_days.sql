-- rollup/days: a tenant's sums for each of 2 × N days up to a day (or today), with the bounds of each day, within the reader's scope.
-- mode: read   shape: rows   class: point
-- $1 now           bigint  call.now           required
-- $2 days          int     call.days          required
-- $3 tenant        bigint  call.tenant        required
-- $4 last          text    call.last          optional
with z as materialized (
  select c.tenant_id, c.zone, coalesce($4::date, (ts($1::bigint) at time zone c.zone)::date) as today from customers c where c.tenant_id = $3::bigint
)
select (z.today - d.n)::text as day, coalesce(sum(r.opened), 0)::bigint as opened, coalesce(sum(r.pending), 0)::bigint as pending,
  coalesce(sum(r.resolved), 0)::bigint as resolved, coalesce(sum(r.overdue), 0)::bigint as overdue,
  coalesce(sum(r.response_n), 0)::bigint as response_n, coalesce(sum(r.response_s), 0)::bigint as response_s,
  coalesce(sum(r.resolution_n), 0)::bigint as resolution_n, coalesce(sum(r.resolution_s), 0)::bigint as resolution_s,
  coalesce(sum(r.response_decided), 0)::bigint as response_decided, coalesce(sum(r.response_met), 0)::bigint as response_met,
  coalesce(sum(r.resolution_decided), 0)::bigint as resolution_decided, coalesce(sum(r.resolution_met), 0)::bigint as resolution_met,
  coalesce(sum(r.decided), 0)::bigint as decided, coalesce(sum(r.met), 0)::bigint as met, coalesce(sum(r.counted), 0)::bigint as counted,
  coalesce(sum(r.met_counted), 0)::bigint as met_counted, coalesce(max(g.ratings), 0)::bigint as ratings, coalesce(max(g.scores), 0)::bigint as scores,
  us((z.today - d.n)::timestamp at time zone z.zone) as starts, us((z.today - d.n + 1)::timestamp at time zone z.zone) as ends
from z cross join generate_series(2 * $2::int - 1, 0, -1) as d(n)
left join rollups r on r.tenant_id = z.tenant_id and r.day = z.today - d.n
left join lateral (
  select count(*) as ratings, sum(round(s.score * 100)) as scores from client_satisfaction s join customers c on c.tenant_id = s.tenant_id
  where s.tenant_id = z.tenant_id and s.rated_at >= (z.today - d.n)::timestamp at time zone c.zone
    and s.rated_at < (z.today - d.n + 1)::timestamp at time zone c.zone) g on true
group by z.today, z.zone, d.n
order by d.n desc
