-- SPDX-License-Identifier: Apache-2.0
-- Instants are exchanged with C as microseconds since 1970. The functions are stable, like the operators inside: if they were declared
-- immutable, they could not be inlined, and each call would cost a function call (measured: ten times the whole insert).
create or replace function us(t timestamptz) returns bigint language sql stable parallel safe
  return (extract(epoch from t) * 1000000)::bigint;
create or replace function ts(v bigint) returns timestamptz language sql stable parallel safe
  return 'epoch'::timestamptz + v * interval '1 microsecond';

-- The address of a webhook with its scheme and host in lower case.
create or replace function web_address(url text) returns text language sql immutable parallel safe
  return lower(substring(url from '^[^:]+://[^/?#]*')) || substring(url from '^[^:]+://[^/?#]*(.*)$');

-- A ticket as src/desk loads it: state, versions and clocks in one document. It is text (json), because nothing here reads its contents.
create or replace view ticket_state with (security_invoker = true) as
select t.tenant_id, t.id, json_build_object(
  'tenant', t.tenant_id, 'id', t.id, 'number', t.number, 'title', t.title, 'row_version', t.row_version, 'version', t.version,
  'status', t.status, 'priority', t.priority, 'priority_source', t.priority_source, 'priority_reason', t.priority_reason,
  'priority_confirmed', t.priority_confirmed, 'service_type', t.service_type, 'category', t.category, 'tags', t.tags,
  'requester_kind', t.requester_kind, 'requester_id', t.requester_id, 'assignee_id', t.assignee_id, 'level', t.level,
  'parent_id', t.parent_id, 'policy_id', t.policy_id, 'calendar_id', t.calendar_id, 'cycle', t.cycle,
  'opened_at', us(t.opened_at), 'last_at', us(t.last_at), 'first_response_at', us(t.first_response_at),
  'mitigated_at', us(t.mitigated_at), 'resolved_at', us(t.resolved_at), 'last_stop_at', us(t.last_stop_at),
  'closed_at', us(t.closed_at), 'closed_by', t.closed_by, 'first_response_done', t.first_response_done,
  'sla_breached', t.sla_breached, 'muted', t.muted, 'windows', t.excluded_windows,
  'exclusion_kind', t.exclusion_kind, 'exclusion_state', t.exclusion_state,
  'exclusion_proposer', t.exclusion_proposer, 'exclusion_approver', t.exclusion_approver,
  'clocks', coalesce((select json_agg(json_build_object('clock', c.clock, 'state', c.state, 'cycle', c.cycle, 'budget_s', c.budget_s,
    'origin_seq', c.origin_seq, 'start_at', us(c.start_at), 'stopped_at', us(c.stopped_at), 'breached_at', us(c.breached_at),
    'carry_us', c.carry_us, 'runs', c.runs, 'fired', c.fired, 'high', c.high, 'missed', c.missed, 'by_priority', c.by_priority,
    'contested', c.contested, 'self_reported', c.self_reported, 'waived', c.waived))
    from sla_clocks c where c.tenant_id = t.tenant_id and c.ticket_id = t.id), '[]')) as doc
from tickets t;

-- The customer that a login or a link names: by number, by "host:" and its host name, or by code. A code of digits, which older versions
-- allowed, never stands for another customer's number.
create or replace function tenant_named(p text)
returns bigint language sql stable as $$
  select c.tenant_id from public.customers c
  where c.tenant_id::text = p or 'host:' || c.host = p or c.code = p
  order by (c.tenant_id::text = p) desc, c.tenant_id limit 1
$$;

-- The address of a portal's logo: the uploaded one with its digest, so that a new logo has a new address; else the configured address.
create or replace function logo_url_of(t tenant_themes)
returns text language sql stable as $$
  select coalesce('/api/v1/client/theme/' || c.code || '/logo?v=' || left(t.logo_sha256, 12), t.logo_url)
  from customers c where c.tenant_id = t.tenant_id
$$;

-- An export holds what its maker saw, with the maker's own tickets: a reader with a data scope sees only the own exports that were made with the
-- same scope. Whoever reads exports reads this view; only the numbering of new ones sees them all. The policies of files use it, too.
create or replace view exports_seen with (security_invoker = true) as
select e.* from exports e
where (select current_setting('app.scope')) = ''
  or (e.scope = (select current_setting('app.scope')) and e.user_id = (select current_setting('app.user_id')::bigint));
