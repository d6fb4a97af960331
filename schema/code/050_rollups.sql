-- SPDX-License-Identifier: Apache-2.0
-- A ticket as it counts now. A verdict falls when the clock stopped in time, or at the due instant it missed (sla.md 3). The limits keep the
-- planner from joining: just after an import the statistics tell of small tables, and it would walk all clocks for each ticket.
create or replace view outcomes_now with (security_invoker = true) as
select t.tenant_id, t.id as ticket_id, t.service_type, t.priority, coalesce(t.department, '') as department, coalesce(t.project, '') as project,
  coalesce(t.region, '') as region, coalesce(t.assignee_id, 0) as engineer_id, (t.opened_at at time zone c.timezone)::date as opened_day,
  (t.status in ('new', 'accepted', 'in_progress', 'pending_customer', 'pending_aws', 'scheduled', 'mitigated', 'monitoring'))::int as pending,
  (t.status in ('resolved', 'closed'))::int as resolved,
  (t.sla_breached and t.status in ('new', 'accepted', 'in_progress', 'pending_customer', 'pending_aws', 'scheduled', 'mitigated', 'monitoring'))::int
    as overdue,
  (t.first_response_at is not null)::int as response_n, coalesce(extract(epoch from t.first_response_at - t.opened_at)::bigint, 0) as response_s,
  (t.resolved_at is not null)::int as resolution_n, coalesce(extract(epoch from t.resolved_at - t.opened_at)::bigint, 0) as resolution_s,
  (r.fell_at at time zone c.timezone)::date as response_day, coalesce((r.verdict = 'met')::int, 0) as response_met,
  (s.fell_at at time zone c.timezone)::date as resolution_day, coalesce((s.verdict = 'met')::int, 0) as resolution_met,
  case when r.fell_at is not null and s.fell_at is not null then (greatest(r.fell_at, s.fell_at) at time zone c.timezone)::date end as decided_day,
  coalesce((r.verdict = 'met' and s.verdict = 'met')::int, 0) as met, (t.exclusion_state is distinct from 'approved')::int as counted,
  coalesce((r.verdict in ('met', 'waived') and s.verdict in ('met', 'waived'))::int, 0) as met_waived
from tickets t
join customers c on c.tenant_id = t.tenant_id
left join lateral (
  select k.verdict, case when k.verdict = 'met' then k.stopped_at else k.breached_at end as fell_at from sla_clocks k
  where k.tenant_id = t.tenant_id and k.ticket_id = t.id and k.clock = 'response' and k.verdict in ('met', 'breached', 'waived') limit 1) r on true
left join lateral (
  select k.verdict, case when k.verdict = 'met' then k.stopped_at else k.breached_at end as fell_at from sla_clocks k
  where k.tenant_id = t.tenant_id and k.ticket_id = t.id and k.clock = 'resolution' and k.verdict in ('met', 'breached', 'waived') limit 1) s on true;

-- What outcomes put into which day's row, SIGN times: a ticket counts on the day it was opened and on the days its verdicts fell.
create or replace function rollup_add(p_rows ticket_outcomes[], p_sign int) returns void language plpgsql as $$
begin
  insert into rollups (tenant_id, day, service_type, priority, department, project, region, engineer_id, opened, pending, resolved, overdue,
    response_n, response_s, resolution_n, resolution_s, response_decided, response_met, resolution_decided, resolution_met, decided, met, counted,
    met_counted)
  select o.tenant_id, v.day, o.service_type, o.priority, o.department, o.project, o.region, o.engineer_id, sum(p_sign * v.opened),
    sum(p_sign * v.opened * o.pending), sum(p_sign * v.opened * o.resolved), sum(p_sign * v.opened * o.overdue), sum(p_sign * v.opened * o.response_n),
    sum(p_sign * v.opened * o.response_s), sum(p_sign * v.opened * o.resolution_n), sum(p_sign * v.opened * o.resolution_s),
    sum(p_sign * v.response), sum(p_sign * v.response * o.response_met), sum(p_sign * v.resolution), sum(p_sign * v.resolution * o.resolution_met),
    sum(p_sign * v.decided), sum(p_sign * v.decided * o.met), sum(p_sign * v.decided * o.counted), sum(p_sign * v.decided * o.counted * o.met_waived)
  from unnest(p_rows) o
  cross join lateral (values (o.opened_day, 1, 0, 0, 0), (o.response_day, 0, 1, 0, 0), (o.resolution_day, 0, 0, 1, 0), (o.decided_day, 0, 0, 0, 1))
    as v(day, opened, response, resolution, decided)
  where v.day is not null
  group by 1, 2, 3, 4, 5, 6, 7, 8
  order by 1, 2, 3, 4, 5, 6, 7, 8
  on conflict (tenant_id, day, service_type, priority, department, project, region, engineer_id) do update set opened = rollups.opened + excluded.opened,
    pending = rollups.pending + excluded.pending, resolved = rollups.resolved + excluded.resolved, overdue = rollups.overdue + excluded.overdue,
    response_n = rollups.response_n + excluded.response_n, response_s = rollups.response_s + excluded.response_s,
    resolution_n = rollups.resolution_n + excluded.resolution_n, resolution_s = rollups.resolution_s + excluded.resolution_s,
    response_decided = rollups.response_decided + excluded.response_decided, response_met = rollups.response_met + excluded.response_met,
    resolution_decided = rollups.resolution_decided + excluded.resolution_decided, resolution_met = rollups.resolution_met + excluded.resolution_met,
    decided = rollups.decided + excluded.decided, met = rollups.met + excluded.met, counted = rollups.counted + excluded.counted,
    met_counted = rollups.met_counted + excluded.met_counted;
end
$$;

-- Count these tickets as they are now. One at a time a tenant: the statements after the lock see what the one before has written. Doing it twice
-- does nothing.
create or replace function rollup_apply(p_tenants bigint[], p_tickets bigint[]) returns bigint language plpgsql as $$
declare
  fresh ticket_outcomes[];
  old ticket_outcomes[];
begin
  perform pg_advisory_xact_lock(7331, (x.tenant_id % 2147483647)::int) from (select distinct unnest(p_tenants) as tenant_id order by 1) x;
  select array_agg(f.fresh), array_agg(o) filter (where o.ticket_id is not null) into fresh, old
  from (select n.tenant_id, n.ticket_id, row(n.*)::ticket_outcomes as fresh from (select distinct * from unnest(p_tenants, p_tickets) as x(tenant_id, ticket_id)) x
    join outcomes_now n on n.tenant_id = x.tenant_id and n.ticket_id = x.ticket_id) f
  left join ticket_outcomes o on o.tenant_id = f.tenant_id and o.ticket_id = f.ticket_id
  where o.ticket_id is null or o is distinct from f.fresh;
  if fresh is null then
    return 0;
  end if;
  perform rollup_add(old, -1);
  perform rollup_add(fresh, 1);
  delete from ticket_outcomes o using unnest(old) x where o.tenant_id = x.tenant_id and o.ticket_id = x.ticket_id;
  insert into ticket_outcomes select * from unnest(fresh);
  return cardinality(fresh);
end
$$;

-- Count a tenant anew.
create or replace function rollup_rebuild(p_tenant bigint) returns bigint language plpgsql set enable_seqscan = off as $$
declare
  n bigint;
begin
  perform pg_advisory_xact_lock(7331, (p_tenant % 2147483647)::int);
  delete from rollups where tenant_id = p_tenant;
  delete from ticket_outcomes where tenant_id = p_tenant;
  insert into ticket_outcomes select * from outcomes_now where tenant_id = p_tenant;
  get diagnostics n = row_count;
  perform rollup_add(array_agg(x.o), 1) from (select o, row_number() over () / 20000 as part from ticket_outcomes o where o.tenant_id = p_tenant) x
    group by x.part;
  return n;
end
$$;
