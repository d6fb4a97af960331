-- SPDX-License-Identifier: Apache-2.0
-- A ticket as it counts now. A verdict is given when the clock stops in time, or at the due instant that it missed (sla.md 3). The limits keep
-- the planner from joining: just after an import the statistics still show small tables, and it would scan all clocks for each ticket.
create or replace view outcomes_now with (security_invoker = true) as
select t.tenant_id, t.id as ticket_id, t.service_type, t.priority, coalesce(t.department, '') as department, coalesce(t.project, '') as project,
  coalesce(t.region, '') as region, coalesce(t.assignee_id, 0) as engineer_id, (t.opened_at at time zone c.zone)::date as opened_day,
  (t.status in ('new', 'accepted', 'in_progress', 'pending_customer', 'pending_aws', 'scheduled', 'mitigated', 'monitoring'))::int as pending,
  (t.status in ('resolved', 'closed'))::int as resolved,
  (t.sla_breached and t.status in ('new', 'accepted', 'in_progress', 'pending_customer', 'pending_aws', 'scheduled', 'mitigated', 'monitoring'))::int
    as overdue,
  (t.first_response_at is not null)::int as response_n, coalesce(extract(epoch from t.first_response_at - t.opened_at)::bigint, 0) as response_s,
  (t.resolved_at is not null)::int as resolution_n, coalesce(extract(epoch from t.resolved_at - t.opened_at)::bigint, 0) as resolution_s,
  (r.fell_at at time zone c.zone)::date as response_day, coalesce((r.verdict = 'met')::int, 0) as response_met,
  (s.fell_at at time zone c.zone)::date as resolution_day, coalesce((s.verdict = 'met')::int, 0) as resolution_met,
  case when r.fell_at is not null and s.fell_at is not null then (greatest(r.fell_at, s.fell_at) at time zone c.zone)::date end as decided_day,
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

-- The contribution of a ticket to the rows of the days: it counts on the day it was opened and on the days of its verdicts.
create or replace function rollup_parts(o ticket_outcomes) returns setof rollups language sql immutable as $$
  select o.tenant_id, v.day, o.service_type, o.priority, o.department, o.project, o.region, o.engineer_id, v.opened, v.opened * o.pending,
    v.opened * o.resolved, v.opened * o.overdue, v.opened * o.response_n, v.opened * o.response_s, v.opened * o.resolution_n, v.opened * o.resolution_s,
    v.response, v.response * o.response_met, v.resolution, v.resolution * o.resolution_met, v.decided, v.decided * o.met, v.decided * o.counted,
    v.decided * o.counted * o.met_waived
  from (values (o.opened_day, 1, 0, 0, 0), (o.response_day, 0, 1, 0, 0), (o.resolution_day, 0, 0, 1, 0), (o.decided_day, 0, 0, 0, 1))
    as v(day, opened, response, resolution, decided)
  where v.day is not null
$$;

-- What the rollups should be, computed from the stored outcome of each ticket.
create or replace view rollups_now with (security_invoker = true) as
select p.tenant_id, p.day, p.service_type, p.priority, p.department, p.project, p.region, p.engineer_id, sum(p.opened)::bigint as opened,
  sum(p.pending)::bigint as pending, sum(p.resolved)::bigint as resolved, sum(p.overdue)::bigint as overdue, sum(p.response_n)::bigint as response_n,
  sum(p.response_s)::bigint as response_s, sum(p.resolution_n)::bigint as resolution_n, sum(p.resolution_s)::bigint as resolution_s,
  sum(p.response_decided)::bigint as response_decided, sum(p.response_met)::bigint as response_met, sum(p.resolution_decided)::bigint as resolution_decided,
  sum(p.resolution_met)::bigint as resolution_met, sum(p.decided)::bigint as decided, sum(p.met)::bigint as met, sum(p.counted)::bigint as counted,
  sum(p.met_counted)::bigint as met_counted
from ticket_outcomes o cross join lateral rollup_parts(o) p
group by 1, 2, 3, 4, 5, 6, 7, 8;

-- Add outcomes to the rows of their days, SIGN times.
create or replace function rollup_add(p_rows ticket_outcomes[], p_sign int) returns void language plpgsql as $$
begin
  insert into rollups (tenant_id, day, service_type, priority, department, project, region, engineer_id, opened, pending, resolved, overdue,
    response_n, response_s, resolution_n, resolution_s, response_decided, response_met, resolution_decided, resolution_met, decided, met, counted,
    met_counted)
  select p.tenant_id, p.day, p.service_type, p.priority, p.department, p.project, p.region, p.engineer_id, sum(p_sign * p.opened),
    sum(p_sign * p.pending), sum(p_sign * p.resolved), sum(p_sign * p.overdue), sum(p_sign * p.response_n), sum(p_sign * p.response_s),
    sum(p_sign * p.resolution_n), sum(p_sign * p.resolution_s), sum(p_sign * p.response_decided), sum(p_sign * p.response_met),
    sum(p_sign * p.resolution_decided), sum(p_sign * p.resolution_met), sum(p_sign * p.decided), sum(p_sign * p.met), sum(p_sign * p.counted),
    sum(p_sign * p.met_counted)
  from unnest(p_rows) o cross join lateral rollup_parts(o) p
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

-- Count these tickets as they are now. Concurrent calls for a tenant run one after the other: the statements after the lock see what the previous
-- call has written. A repeated call changes nothing.
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

-- Recount a tenant from the start.
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

-- One step of recounting a customer: compare the next tickets with what they were counted as. Tickets with events that are not followed yet are left
-- to the consumer that follows them. Wrong counts are corrected at once.
create or replace function rollup_check_tickets(p_tenant bigint, p_after bigint, p_limit int, out last bigint, out seen bigint, out wrong bigint)
language plpgsql as $$
declare
  followed bigint := (select c.seq from consumer_positions c where c.tenant_id = p_tenant and c.consumer = 'rollup');
  bad bigint[];
begin
  select max(x.id), count(*), array_agg(x.id) filter (where x.differs) into last, seen, bad
  from (
    select n.ticket_id as id, o is distinct from row(n.*)::ticket_outcomes and (o.ticket_id is not null or followed is not null)
      and not exists (select from events e where e.tenant_id = p_tenant and e.ticket_id = n.ticket_id and e.seq > followed) as differs
    from outcomes_now n
    left join ticket_outcomes o on o.tenant_id = n.tenant_id and o.ticket_id = n.ticket_id
    where n.tenant_id = p_tenant and n.ticket_id > p_after
    order by n.ticket_id limit p_limit) x;
  wrong := rollup_apply(array_fill(p_tenant, array[coalesce(cardinality(bad), 0)]), coalesce(bad, '{}'));
end
$$;

-- The number of a customer's day rows that differ from what its tickets give: wrong, missing or superfluous. Rows of zeros do not count.
create or replace function rollup_rows_wrong(p_tenant bigint, p_from date, p_to date) returns bigint language sql as $$
  select count(*)
  from (select * from rollups_now n where n.tenant_id = p_tenant and n.day >= p_from and n.day < p_to) n
  full join (select * from rollups r where r.tenant_id = p_tenant and r.day >= p_from and r.day < p_to) r
    using (day, service_type, priority, department, project, region, engineer_id)
  where (coalesce(n.opened, 0), coalesce(n.pending, 0), coalesce(n.resolved, 0), coalesce(n.overdue, 0), coalesce(n.response_n, 0),
      coalesce(n.response_s, 0), coalesce(n.resolution_n, 0), coalesce(n.resolution_s, 0), coalesce(n.response_decided, 0), coalesce(n.response_met, 0),
      coalesce(n.resolution_decided, 0), coalesce(n.resolution_met, 0), coalesce(n.decided, 0), coalesce(n.met, 0), coalesce(n.counted, 0),
      coalesce(n.met_counted, 0))
    <> (coalesce(r.opened, 0), coalesce(r.pending, 0), coalesce(r.resolved, 0), coalesce(r.overdue, 0), coalesce(r.response_n, 0),
      coalesce(r.response_s, 0), coalesce(r.resolution_n, 0), coalesce(r.resolution_s, 0), coalesce(r.response_decided, 0), coalesce(r.response_met, 0),
      coalesce(r.resolution_decided, 0), coalesce(r.resolution_met, 0), coalesce(r.decided, 0), coalesce(r.met, 0), coalesce(r.counted, 0),
      coalesce(r.met_counted, 0))
$$;

-- Replace the rows of these days by what the tickets give.
create or replace function rollup_replace(p_tenant bigint, p_from date, p_to date) returns void language plpgsql as $$
begin
  perform pg_advisory_xact_lock(7331, (p_tenant % 2147483647)::int);
  delete from rollups where tenant_id = p_tenant and day >= p_from and day < p_to;
  insert into rollups select * from rollups_now n where n.tenant_id = p_tenant and n.day >= p_from and n.day < p_to;
end
$$;

-- The next day from P_FROM on that has a row, or should have one; null: none. Days without either are skipped, however many years they are.
create or replace function rollup_next_day(p_tenant bigint, p_from date) returns date language sql as $$
  select least((select min(r.day) from rollups r where r.tenant_id = p_tenant and r.day >= p_from),
    (select min(d.day) from ticket_outcomes o cross join lateral (values (o.opened_day), (o.response_day), (o.resolution_day), (o.decided_day)) as d(day)
     where o.tenant_id = p_tenant and d.day >= p_from))
$$;

-- One step of checking all customers, each of which is due once in p_every seconds: its next tickets, and after the last ticket its day rows, a quarter
-- of a year per step, without the years that have none. Customers take turns: the one with the fewest steps is next. If a row is wrong, the rows are rebuilt and checked again. A step reads the customer's outcomes: about 2 s for a million. No row:
-- no customer is due. done: this customer is finished, with the result.
create or replace function rollup_check(p_now bigint, p_every bigint, p_limit int) returns setof rollup_checks language plpgsql as $$
declare
  c rollup_checks;
  found_now record;
  bad bigint;
  until date;
begin
  insert into rollup_checks (tenant_id, started_at) select x.tenant_id, ts(p_now) from customers x
  where x.tenant_id > 1 and not exists (select from rollup_checks y
    where y.tenant_id = x.tenant_id and (y.done_at is null or y.started_at > ts(p_now) - p_every * interval '1 second'))
  on conflict do nothing;
  select * into c from rollup_checks y where y.done_at is null order by y.steps, y.tenant_id limit 1 for update skip locked;
  if not found then
    return;
  end if;
  if c.after is not null then
    found_now := rollup_check_tickets(c.tenant_id, c.after, p_limit);
    c.tickets := c.tickets + found_now.seen;
    c.wrong := c.wrong + found_now.wrong;
    c.after := case when found_now.seen = p_limit then found_now.last end;
    c.from_day := case when c.after is null then rollup_next_day(c.tenant_id, '-infinity') end;
  else
    until := c.from_day + 92;
    if c.step = 'mend' then
      perform rollup_replace(c.tenant_id, c.from_day, until);
      c.step := 'verify';
    else
      bad := rollup_rows_wrong(c.tenant_id, c.from_day, until);
      c.wrong_rows := c.wrong_rows + case when c.step = 'look' then bad else 0 end;
      c.left_wrong := c.left_wrong + case when c.step = 'verify' then bad else 0 end;
      if c.step = 'look' and bad > 0 then
        c.step := 'mend';
      else
        c.step := 'look';
        c.from_day := rollup_next_day(c.tenant_id, until);
      end if;
    end if;
  end if;
  if c.after is null and c.from_day is null then
    c.done_at := ts(p_now);
  end if;
  update rollup_checks y set steps = y.steps + 1, after = c.after, from_day = c.from_day, step = c.step, tickets = c.tickets, wrong = c.wrong, wrong_rows = c.wrong_rows,
    left_wrong = c.left_wrong, done_at = c.done_at
  where y.tenant_id = c.tenant_id and y.started_at = c.started_at;
  return next c;
end
$$;
