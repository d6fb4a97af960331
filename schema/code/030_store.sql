-- SPDX-License-Identifier: Apache-2.0
-- The only writer of tickets, apart from the importer's bulk load. It takes the documents that src/desk made, each under compare-and-set on
-- row_version. A document whose ticket has changed meanwhile has no effect and is not in the result. Lock order: tickets first, counter last.
-- A provisional seq (below -900000) stands for the n-th event of this document: base + n.
create or replace function real_seq(v bigint, base bigint) returns bigint language sql immutable return
  case when v < -900000 then base + v + 1000000 else v end;

create or replace function desk_store(docs jsonb)
returns table (ti int, tenant_id bigint, id bigint, number text, version bigint, base bigint)
language plpgsql as $$
#variable_conflict use_column
declare
  a_ti int[];
  a_tenant bigint[];
  a_id bigint[];
  a_number text[];
  a_version bigint[];
  a_base bigint[];
  first jsonb := docs -> 0;
  comment_id bigint;
  fault text;
begin
  if first ? 'timer_id' then
    update timers set state = 'done'
    where tenant_id = (first ->> 'tenant')::bigint and id = (first ->> 'timer_id')::bigint and state = 'pending';
    if not found then
      return;
    end if;
  end if;

  if first ? 'refs' then
    fault := reference_fault((first ->> 'tenant')::bigint, (first ->> 'id')::bigint, first -> 'refs');
    if fault is not null then
      raise exception 'reference refused' using errcode = 'SD002', constraint = fault;
    end if;
  end if;

  if first ->> 'id' is null then
    if (first ->> 'config_version')::bigint <> (select c.config_version from customers c where c.tenant_id = (first ->> 'tenant')::bigint) then
      raise exception 'stale configuration' using errcode = 'SD001';
    end if;
    with n as (
      insert into tickets (tenant_id, title, status, priority, priority_source, priority_reason, priority_confirmed, service_type, source,
        category, incident_type, tags, impact, urgency, requester_kind, requester_id, assignee_id, level, department, project, contract, cost_centre, region,
        office, parent_id, policy_id, calendar_id, cycle, opened_at, last_at, updated_at, urgent_at, urgent_clock, external_id, sla_high,
        sla_breached)
      select d.tenant, d.title, d.status, d.priority, d.priority_source, d.priority_reason, d.priority_confirmed, d.service_type, d.source,
        d.category, d.incident_type, coalesce(d.tags, '{}'), d.impact, d.urgency, d.requester_kind, d.requester_id, d.assignee_id, d.level,
        coalesce(d.department, u.department), coalesce(d.project, u.project), coalesce(d.contract, u.contract),
        coalesce(d.cost_centre, u.cost_centre), coalesce(d.region, u.region), coalesce(d.office, u.office), d.parent_id, d.policy_id, d.calendar_id, d.cycle, ts(d.opened_at), ts(d.last_at), ts(d.last_at),
        coalesce(ts(d.urgent_at), 'infinity'), d.urgent_clock, d.external_id, coalesce(d.sla_high, 0),
        coalesce(d.sla_breached, false)
      from jsonb_to_record(first) as d(tenant bigint, title text, status text, priority text, priority_source text, priority_reason jsonb,
        priority_confirmed boolean, service_type text, source text, category text, incident_type text, tags text[], impact smallint, urgency smallint,
        requester_kind text, requester_id bigint, assignee_id bigint, level smallint, department text, project text, contract text,
        cost_centre text, region text, office text, parent_id bigint, policy_id bigint, calendar_id bigint, cycle int, opened_at bigint,
        last_at bigint, urgent_at bigint, urgent_clock text, external_id text, sla_high smallint, sla_breached boolean)
      left join client_users u on d.requester_kind = 'customer' and u.tenant_id = d.tenant and u.id = d.requester_id
      returning tickets.tenant_id, tickets.id, tickets.number, tickets.version
    )
    select array[0], array[n.tenant_id], array[n.id], array[n.number], array[n.version] into a_ti, a_tenant, a_id, a_number, a_version from n;
  elsif not (first ->> 'command')::boolean then -- a fire changes little, and there may be many
    with d as materialized (
      select * from jsonb_to_recordset(docs) as d(ti int, tenant bigint, id bigint, row_version bigint, level smallint, last_at bigint,
        urgent_at bigint, urgent_clock text, sla_high smallint, sla_breached boolean)
    ), l as materialized ( -- a fire waits for no lock: a locked ticket is not in the result
      select t.tenant_id, t.id from tickets t join d on t.tenant_id = d.tenant and t.id = d.id order by t.tenant_id, t.id
      for no key update of t skip locked
    ), u as (
      update tickets t set level = d.level, last_at = ts(d.last_at), urgent_at = coalesce(ts(d.urgent_at), 'infinity'),
        urgent_clock = d.urgent_clock, sla_high = d.sla_high, sla_breached = d.sla_breached, row_version = t.row_version + 1
      from l join d on l.tenant_id = d.tenant and l.id = d.id
      where t.tenant_id = l.tenant_id and t.id = l.id and t.row_version = d.row_version
      returning d.ti, t.tenant_id, t.id, t.number, t.version
    )
    select array_agg(u.ti order by u.ti), array_agg(u.tenant_id order by u.ti), array_agg(u.id order by u.ti),
      array_agg(u.number order by u.ti), array_agg(u.version order by u.ti)
    into a_ti, a_tenant, a_id, a_number, a_version from u;
  else
    if jsonb_array_length(docs) > 1 then
      raise exception 'a command is one document';
    end if;
    if first ? 'timer_id' then -- a timer does not wait either
      perform from tickets t where t.tenant_id = (first ->> 'tenant')::bigint and t.id = (first ->> 'id')::bigint
      for no key update of t skip locked;
      if not found then
        raise exception 'lost race' using errcode = '40001';
      end if;
    end if;
    update tickets t set title = coalesce(d.title, t.title), status = d.status, priority = d.priority, priority_source = d.priority_source,
      priority_reason = d.priority_reason, priority_confirmed = d.priority_confirmed, category = d.category, tags = coalesce(d.tags, '{}'),
      assignee_id = d.assignee_id, level = d.level, parent_id = d.parent_id, cycle = d.cycle, last_at = ts(d.last_at),
      updated_at = ts(d.last_at), first_response_at = ts(d.first_response_at),
      mitigated_at = ts(d.mitigated_at), resolved_at = ts(d.resolved_at), last_stop_at = ts(d.last_stop_at), closed_at = ts(d.closed_at),
      closed_by = d.closed_by, urgent_at = coalesce(ts(d.urgent_at), 'infinity'), urgent_clock = d.urgent_clock, sla_high = d.sla_high,
      sla_breached = d.sla_breached, first_response_done = d.first_response_done,
      muted = d.muted, policy_id = d.policy_id, calendar_id = d.calendar_id, excluded_windows = d.windows, exclusion_kind = d.exclusion_kind,
      exclusion_state = d.exclusion_state, exclusion_proposer = d.exclusion_proposer, exclusion_approver = d.exclusion_approver,
      version = t.version + 1, row_version = t.row_version + 1
    from jsonb_to_record(first) as d(tenant bigint, id bigint, row_version bigint, title text, status text,
      priority text, priority_source text, priority_reason jsonb, priority_confirmed boolean, category text, tags text[],
      assignee_id bigint, level smallint, parent_id bigint, cycle int, last_at bigint, first_response_at bigint, mitigated_at bigint,
      resolved_at bigint, last_stop_at bigint, closed_at bigint, closed_by text, urgent_at bigint, urgent_clock text, sla_high smallint,
      sla_breached boolean, first_response_done boolean, muted boolean, policy_id bigint, calendar_id bigint, windows bigint[], exclusion_kind text,
      exclusion_state text, exclusion_proposer bigint, exclusion_approver bigint)
    where t.tenant_id = d.tenant and t.id = d.id and t.row_version = d.row_version
    returning array[0], array[t.tenant_id], array[t.id], array[t.number], array[t.version] into a_ti, a_tenant, a_id, a_number, a_version;
  end if;
  if a_ti is null then
    if first ? 'timer_id' then
      raise exception 'lost race' using errcode = '40001'; -- release the timer
    end if;
    return;
  end if;

  if first ? 'redact' then
    if not door.redact(a_tenant[1], a_id[1], (first ->> 'redact')::bigint) then
      raise exception 'no such text' using errcode = 'SD002', constraint = 'text';
    end if;
  end if;
  if first ? 'report_done' then -- a report ends its timer, which is due or not; one that a change of the priority has ended is not asked for
    update timers m set state = case m.state when 'pending' then 'cancelled' else m.state end, payload = m.payload || (first -> 'report_done')
    where m.tenant_id = a_tenant[1] and m.kind = 'report-due' and m.subject_id = a_id[1] and m.state <> 'cancelled' and not m.payload ? 'by';
    if not found then
      raise exception 'no open report' using errcode = 'SD002', constraint = 'report';
    end if;
  end if;
  if first ? 'rca_done' then
    update rca_tasks r set done_at = ts((first -> 'rca_done' ->> 'at')::bigint), done_by = (first -> 'rca_done' ->> 'by')::bigint
    where r.tenant_id = a_tenant[1] and r.ticket_id = a_id[1] and r.done_at is null;
    if not found then
      raise exception 'no open analysis' using errcode = 'SD002', constraint = 'rca';
    end if;
  end if;
  if first ? 'rca_owner' then
    update rca_tasks r set owner_id = (first ->> 'rca_owner')::bigint
    where r.tenant_id = a_tenant[1] and r.ticket_id = a_id[1] and r.done_at is null;
    if not found then
      raise exception 'no open analysis' using errcode = 'SD002', constraint = 'rca';
    end if;
  end if;
  if first ? 'rca_overdue' then
    update rca_tasks r set overdue_at = ts((first ->> 'rca_overdue')::bigint)
    where r.tenant_id = a_tenant[1] and r.ticket_id = a_id[1] and r.done_at is null and r.overdue_at is null;
  end if;
  if first ? 'rating' then -- one rating for each user and cycle: a second one replaces the first
    insert into client_satisfaction (tenant_id, ticket_id, user_id, cycle, score, rated_at, department, project)
    select a_tenant[1], a_id[1], r.user_id, r.cycle, r.score, ts(r.at), coalesce(t.department, ''), coalesce(t.project, '')
    from jsonb_to_record(first -> 'rating') as r(user_id bigint, cycle int, score numeric, at bigint)
    join tickets t on t.tenant_id = a_tenant[1] and t.id = a_id[1]
    on conflict (tenant_id, ticket_id, user_id, cycle) do update set score = excluded.score, rated_at = excluded.rated_at;
  end if;
  if first ? 'comment' then
    insert into ticket_comments (tenant_id, ticket_id, kind, audience, author_kind, author_id, body, details, created_at)
    select a_tenant[1], a_id[1], c.kind, c.audience, c.author_kind, c.author_id, c.body, c.details, ts(c.at)
    from jsonb_to_record(first -> 'comment') as c(kind text, audience text, author_kind text, author_id bigint, body text, details jsonb, at bigint)
    returning ticket_comments.id into comment_id;
  end if;
  if first ? 'idem' then
    begin
      insert into idempotency_keys (tenant_id, actor, key, request_sha256, subject_type, subject_id, status, created_at,
        reply)
      select a_tenant[1], i.actor, i.key, decode(i.sha256, 'hex'), 'ticket', a_id[1], i.status, ts(i.at),
        i.reply || jsonb_build_object('version', a_version[1])
      from jsonb_to_record(first -> 'idem') as i(actor text, key text, sha256 text, status smallint, at bigint, reply jsonb);
    exception when lock_not_available then -- its first request has not committed yet: refuse, neither retry nor execute twice
      raise exception 'idempotency key in use' using errcode = 'unique_violation', constraint = 'idempotency_keys_pkey';
    end;
  end if;

  with n as (
    select x.ti, x.tenant, jsonb_array_length(docs -> x.ti -> 'events') as events from unnest(a_ti, a_tenant) as x(ti, tenant)
  ), c as (
    update tenant_counters c set seq = c.seq + s.events
    from (select n.tenant, sum(n.events) as events from n group by n.tenant order by n.tenant) s
    where c.tenant_id = s.tenant
    returning c.tenant_id, c.seq - s.events as base
  )
  select array_agg(c.base + w.before order by w.ti) into a_base
  from (select n.ti, n.tenant, sum(n.events) over (partition by n.tenant order by n.ti) - n.events as before from n) w
  join c on c.tenant_id = w.tenant;
  if a_base is null then
    raise exception 'tenant has no counter' using errcode = 'SD002';
  end if;

  if jsonb_path_exists(docs, '$[*].rca') then -- a breach of resolution begins one in each cycle; its owner is reminded when a quarter of the time is left
    with r as (
      insert into rca_tasks (tenant_id, ticket_id, cycle, priority, owner_id, event_seq, breached_at, opened_at, due_at)
      select x.tenant, x.id, r.cycle, r.priority, door.rca_owner(x.tenant), x.base + r.i, ts(r.breached_at), ts(r.at), ts(r.due_at)
      from unnest(a_ti, a_tenant, a_id, a_base) as x(ti, tenant, id, base)
      cross join lateral jsonb_to_record(docs -> x.ti -> 'rca') as r(i int, cycle int, priority text, breached_at bigint, at bigint, due_at bigint)
      where docs -> x.ti ? 'rca'
      on conflict do nothing
      returning rca_tasks.tenant_id, ticket_id, event_seq, opened_at, due_at
    )
    insert into timers (tenant_id, kind, subject_id, due_at, origin_seq)
    select r.tenant_id, k.kind, r.ticket_id, k.due_at, r.event_seq
    from r cross join lateral (values ('rca-reminder', r.due_at - (r.due_at - r.opened_at) / 4), ('rca-overdue', r.due_at)) as k(kind, due_at);
  end if;

  insert into events (tenant_id, seq, type, ticket_id, actor_kind, actor_id, audience, at, data)
  select x.tenant, x.base + e.i, e.type, x.id, e.actor_kind, e.actor_id, e.audience, ts(e.at),
    case when e.comment then e.data || jsonb_build_object('comment_id', comment_id)
      when e.type = 'ticket.rca_opened' then e.data || (select jsonb_build_object('owner_id', r.owner_id) from rca_tasks r
        where r.tenant_id = x.tenant and r.ticket_id = x.id and r.cycle = (e.data ->> 'cycle')::int)
      else e.data end
  from unnest(a_ti, a_tenant, a_id, a_base) as x(ti, tenant, id, base)
  cross join lateral jsonb_to_recordset(docs -> x.ti -> 'events')
    as e(i int, type text, actor_kind text, actor_id bigint, audience text, at bigint, data jsonb, comment boolean);

  if jsonb_array_length(first -> 'fires') > 0 or jsonb_array_length(docs) > 1 then
    insert into sla_fires (tenant_id, ticket_id, clock, origin_seq, threshold, cycle, due_at, fired_at, lag_ms, alerted, cause, event_seq,
      periods)
    select x.tenant, x.id, f.clock, real_seq(f.origin_seq, x.base), f.threshold, f.cycle, ts(f.due_at), ts(f.at), (f.at - f.due_at) / 1000,
      f.alerted, f.cause, x.base + f.i, coalesce(f.periods, 1)
    from unnest(a_ti, a_tenant, a_id, a_base) as x(ti, tenant, id, base)
    cross join lateral jsonb_to_recordset(docs -> x.ti -> 'fires')
      as f(i int, clock text, origin_seq bigint, threshold text, cycle int, due_at bigint, at bigint, alerted boolean, cause text, periods int);
  end if;
  if jsonb_path_exists(docs, '$[*].more') then -- further missed periods of a row that stands for the rest
    update sla_fires f set periods = f.periods + (x.more ->> 'periods')::int
    from (select a.tenant, a.id, a.base, docs -> a.ti -> 'more' as more from unnest(a_ti, a_tenant, a_id, a_base) as a(ti, tenant, id, base)) x
    where x.more is not null and f.tenant_id = x.tenant and f.ticket_id = x.id and f.clock = 'update'
      and f.origin_seq = real_seq((x.more ->> 'origin_seq')::bigint, x.base) and f.threshold = '100';
  end if;

  insert into sla_clocks (tenant_id, ticket_id, clock, state, cycle, budget_s, origin_seq, start_at, stopped_at, breached_at, due_at,
    next_fire_at, fire_at, fire_key, carry_us, runs, fired, high, missed, by_priority, contested, self_reported,
    waived, verdict)
  select x.tenant, x.id, k.clock, k.state, k.cycle, k.budget_s, real_seq(k.origin_seq, x.base), ts(k.start_at), ts(k.stopped_at),
    ts(k.breached_at), ts(k.due_at), ts(k.next_fire_at), k.fire_at, k.fire_key, k.carry_us, k.runs, k.fired, k.high, k.missed, k.by_priority,
    k.contested, k.self_reported, k.waived, k.verdict
  from unnest(a_ti, a_tenant, a_id, a_base) as x(ti, tenant, id, base)
  cross join lateral jsonb_to_recordset(docs -> x.ti -> 'clocks') as k(clock text, state text, cycle int, budget_s int, origin_seq bigint,
    start_at bigint, stopped_at bigint, breached_at bigint, due_at bigint, next_fire_at bigint, fire_at bigint[], fire_key text[],
    carry_us bigint, runs bigint[], fired int, high int, missed int, by_priority boolean, contested boolean,
    self_reported boolean, waived boolean, verdict text)
  on conflict (tenant_id, ticket_id, clock) do update set state = excluded.state, cycle = excluded.cycle, budget_s = excluded.budget_s,
    origin_seq = excluded.origin_seq, start_at = excluded.start_at, stopped_at = excluded.stopped_at, breached_at = excluded.breached_at,
    due_at = excluded.due_at, next_fire_at = excluded.next_fire_at, fire_at = excluded.fire_at, fire_key = excluded.fire_key,
    carry_us = excluded.carry_us, runs = excluded.runs, fired = excluded.fired, high = excluded.high, missed = excluded.missed,
    by_priority = excluded.by_priority, contested = excluded.contested, self_reported = excluded.self_reported,
    waived = excluded.waived, verdict = excluded.verdict;

  -- What was promised when a clock was missed stays, whatever the priority becomes: the fire at the breach knows it. A command that reckons anew
  -- can fire the same due instant once more in the document in which it was missed; the first fire counts.
  if jsonb_path_exists(docs, '$[*].fires[*] ? (@.threshold == "100")') then
    insert into sla_breaches (tenant_id, ticket_id, clock, cycle, priority, budget_s, breached_at, stopped_at, waived)
    select distinct on (x.tenant, x.id, f.clock, f.cycle) x.tenant, x.id, f.clock, f.cycle, f.priority, f.budget_s, ts(f.due_at), ts(k.stopped_at),
      k.waived
    from unnest(a_ti, a_tenant, a_id) as x(ti, tenant, id)
    cross join lateral jsonb_to_recordset(docs -> x.ti -> 'fires')
      as f(i int, clock text, threshold text, cycle int, due_at bigint, priority text, budget_s int)
    join lateral jsonb_to_recordset(docs -> x.ti -> 'clocks') as k(clock text, cycle int, breached_at bigint, stopped_at bigint, waived boolean)
      on k.clock = f.clock and k.cycle = f.cycle and k.breached_at = f.due_at
    where f.threshold = '100' and f.clock in ('response', 'resolution')
    order by x.tenant, x.id, f.clock, f.cycle, f.i
    on conflict (tenant_id, ticket_id, clock, cycle) do update set priority = excluded.priority, budget_s = excluded.budget_s,
      breached_at = excluded.breached_at;
  end if;
  if (first ->> 'command')::boolean and (first ->> 'sla_breached')::boolean then
    update sla_breaches b set stopped_at = ts(k.stopped_at), waived = k.waived
    from jsonb_to_recordset(first -> 'clocks') as k(clock text, cycle int, stopped_at bigint, waived boolean)
    where b.tenant_id = a_tenant[1] and b.ticket_id = a_id[1] and b.clock = k.clock and b.cycle = k.cycle
      and (b.stopped_at, b.waived) is distinct from (ts(k.stopped_at), k.waived);
    delete from sla_breaches b -- an accepted contact, or a policy that judges again, has lifted it
    using jsonb_to_recordset(first -> 'clocks') as k(clock text, cycle int, breached_at bigint)
    where b.tenant_id = a_tenant[1] and b.ticket_id = a_id[1] and b.clock = k.clock and b.cycle = k.cycle and k.breached_at is null;
  end if;

  if jsonb_array_length(coalesce(first -> 'cancel', '[]')) > 0 then
    update timers set state = 'cancelled'
    where tenant_id = a_tenant[1] and subject_id = a_id[1] and state = 'pending'
      and kind in (select jsonb_array_elements_text(first -> 'cancel'));
  end if;
  if jsonb_array_length(coalesce(first -> 'timers', '[]')) > 0 then
    insert into timers (tenant_id, kind, subject_id, due_at, origin_seq, payload)
    select a_tenant[1], t.kind, a_id[1], ts(t.due_at), a_base[1] + t.i, coalesce(t.payload, '{}')
    from jsonb_to_recordset(first -> 'timers') as t(i int, kind text, due_at bigint, payload jsonb)
    where t.kind <> 'escalation-late' or not exists (select from timers p -- who asks again does not put off the answer that was promised
      where p.tenant_id = a_tenant[1] and p.subject_id = a_id[1] and p.kind = t.kind and p.state = 'pending');
  end if;

  -- Nobody is told what they did themselves, nor what follows from it at once; a customer is, that the ticket has arrived and who looks at an
  -- escalation. One mail a person and command: of several events the P0 page goes before the others. Clocks are told each.
  -- The recipients: users of the ticket directly, and the engineers of its level in place of an assignee that it does not have; groups are looked up once for each tenant and level, not for each ticket.
  insert into notifications (tenant_id, event_seq, ticket_id, recipient_kind, recipient_id, channel, template, next_attempt_at, created_at)
  with m as materialized ( -- the matrices of the tickets' policies, if they have one
    select t.tenant_id, t.id, g.doc -> 'notifications' as rules
    from unnest(a_tenant, a_id) as x(tenant, id)
    join tickets t on t.tenant_id = x.tenant and t.id = x.id
    join sla_configurations g on g.tenant_id in (t.tenant_id, 1) and g.id = t.policy_id and g.doc ? 'notifications'
  ), e as materialized (
    select x.tenant, x.base + e.i as seq, x.id, d.requester_kind, d.requester_id, d.assignee_id, d.level, e.type, e.at, e.audience, e.once,
      b.by ->> 'actor_kind' as by_kind, (b.by ->> 'actor_id')::bigint as by_id,
      case when n.recipient_group = 'assignee' and d.assignee_id is null then 'level' else n.recipient_group end as recipient_group,
      n.channel, n.template, array_position(e.keys, n.event_key) as rank, n.delay_s
    from unnest(a_ti, a_tenant, a_id, a_base) as x(ti, tenant, id, base)
    cross join lateral jsonb_to_record(docs -> x.ti) as d(requester_kind text, requester_id bigint, assignee_id bigint, level int, muted boolean, priority text)
    cross join lateral (select case when (first ->> 'command')::boolean
      then jsonb_path_query_first(first, '$.events[*] ? (@.actor_kind == "staff" || @.actor_kind == "customer")') end as by) b
    cross join lateral jsonb_to_recordset(docs -> x.ti -> 'events')
      as e(i int, type text, audience text, at bigint, notify boolean, keys text[], once boolean, data jsonb)
    left join m on m.tenant_id = x.tenant and m.id = x.id
    cross join lateral rules_for(m.rules, e.type, e.keys, d.priority, e.data ->> 'clock') n
    where e.notify and not coalesce(d.muted, false)
      and (n.recipient_group <> 'webhook' or e.audience = 'customer' or e.type like 'sla.%' or e.type like 'ticket.p0%')
  ), k as materialized (
    select distinct e.recipient_group, e.tenant, e.type, e.level from e where e.recipient_group not in ('requester', 'assignee', 'rca_owner')
  ), g as materialized (
    select k.recipient_group, k.tenant, k.type, k.level, r.recipient_kind, r.recipient_id
    from k cross join lateral door.recipients(k.recipient_group, k.tenant, k.type, k.level) r
  ), r as (
    select e.*, 'customer' as recipient_kind, e.requester_id as recipient_id from e
    where e.recipient_group = 'requester' and e.requester_kind = 'customer' and e.requester_id is not null
    union all
    select e.*, 'staff', e.assignee_id from e where e.recipient_group = 'assignee' and e.assignee_id is not null
    union all
    select distinct on (e.tenant, e.seq, e.channel) e.*, 'staff', a.owner_id
    from e join rca_tasks a on a.tenant_id = e.tenant and a.ticket_id = e.id and a.done_at is null and a.owner_id is not null
    where e.recipient_group = 'rca_owner'
    union all
    select e.*, g.recipient_kind, g.recipient_id
    from e join g on g.recipient_group = e.recipient_group and g.tenant = e.tenant and g.type = e.type and g.level = e.level
  )
  select distinct on (r.tenant, r.id, case when r.channel = 'webhook' or r.type like 'sla.%' then r.seq end, r.recipient_kind, r.recipient_id, r.channel)
    r.tenant, r.seq, r.id, r.recipient_kind, r.recipient_id, r.channel, r.template, ts(r.at + r.delay_s * 1000000::bigint), ts(r.at)
  from r
  where (r.recipient_kind is distinct from r.by_kind or r.recipient_id is distinct from r.by_id
      or r.recipient_kind = 'customer' and r.type in ('ticket.created', 'ticket.escalation_requested'))
    and not (r.recipient_kind = 'contact' and exists (select from contacts c -- a contact who is a user that is told
      join client_users u on u.tenant_id = c.tenant_id and left(u.email_index, 64) = c.email_index and u.disabled_at is null
      where c.tenant_id = r.tenant and c.id = r.recipient_id and (u.role_type = 'admin' or r.requester_kind = 'customer' and u.id = r.requester_id)))
    and not ((coalesce(r.once, false) or r.type = 'ticket.p0_unconfirmed') and exists (select from notifications o -- a person is paged once
      where o.tenant_id = r.tenant and o.ticket_id = r.id and o.recipient_kind = r.recipient_kind and o.recipient_id = r.recipient_id
        and o.channel = r.channel and o.channel <> 'webhook' and starts_with(o.template, 'p0_')))
    and not (r.type = 'ticket.escalation_requested' and r.channel <> 'webhook' and exists ( -- and of a request that waits for its answer, at each level
      select from notifications o join events v on v.tenant_id = o.tenant_id and v.seq = o.event_seq and v.at = o.created_at
      where o.tenant_id = r.tenant and o.ticket_id = r.id and o.recipient_kind = r.recipient_kind and o.recipient_id = r.recipient_id
        and o.channel = r.channel and v.type = r.type and v.data ->> 'level' = r.level::text and (v.data ->> 'answer_by')::bigint > r.at
        and not exists (select from events a where a.tenant_id = r.tenant and a.ticket_id = r.id and a.seq > v.seq and a.actor_kind = 'staff'
          and a.type in ('ticket.replied', 'ticket.contacted', 'ticket.mitigated', 'ticket.resolved'))))
  order by r.tenant, r.id, case when r.channel = 'webhook' or r.type like 'sla.%' then r.seq end, r.recipient_kind, r.recipient_id, r.channel,
    r.type not like 'ticket.p0%', r.seq, r.rank nulls last, r.delay_s;

  return query
  select x.ti, x.tenant, x.id, x.number, x.version, x.base
  from unnest(a_ti, a_tenant, a_id, a_number, a_version, a_base) as x(ti, tenant, id, number, version, base);
end
$$;
