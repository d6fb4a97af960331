-- ticket/get: one ticket with everything that its page shows.
-- zh: 单个工单的全部信息。
-- mode: read   shape: object   class: point
-- $1 id  bigint  path.id  required range=1..9007199254740991
-- returns id bigint, number text, tenant_id bigint, tenant_name text, title text, status text, priority text, priority_label text, priority_source text,
-- returns priority_reason jsonb, priority_confirmed boolean, service_type text, source text, category text, incident_type text, tags text[],
-- returns impact smallint, urgency smallint, requester_kind text, requester_id bigint, assignee_id bigint, level smallint,
-- returns department text, project text, contract text, cost_centre text, region text, office text, parent_id bigint,
-- returns cycle integer, opened_at timestamptz, updated_at timestamptz, first_response_at timestamptz, mitigated_at timestamptz,
-- returns resolved_at timestamptz, closed_at timestamptz, closed_by text, urgent_at timestamptz, urgent_clock text,
-- returns sla_high smallint, sla_breached boolean, excluded_windows bigint[], exclusion_kind text, exclusion_state text,
-- returns exclusion_proposer bigint, exclusion_approver bigint, version bigint, description text, requester_name text,
-- returns assignee_name text, report_due_at timestamptz, report_done_at timestamptz
select t.id, t.number, t.tenant_id, c.name as tenant_name, t.title, t.status, t.priority, t.priority as priority_label, t.priority_source, t.priority_reason,
  t.priority_confirmed, t.service_type, t.source, t.category, t.incident_type, t.tags, t.impact, t.urgency, t.requester_kind, t.requester_id, t.assignee_id,
  t.level, t.department, t.project, t.contract, t.cost_centre, t.region, t.office, t.parent_id, t.cycle, t.opened_at, t.updated_at,
  t.first_response_at, t.mitigated_at, t.resolved_at, t.closed_at, t.closed_by, t.urgent_at, t.urgent_clock, t.sla_high, t.sla_breached,
  t.excluded_windows, t.exclusion_kind, t.exclusion_state, t.exclusion_proposer, t.exclusion_approver, t.version,
  (select m.body from ticket_comments m where m.tenant_id = t.tenant_id and m.ticket_id = t.id and m.kind = 'description'
    and m.created_at >= t.opened_at - interval '1 day' order by m.id limit 1) as description,
  door.person_name(t.tenant_id, t.requester_kind, t.requester_id) as requester_name,
  door.person_name(t.tenant_id, 'staff', t.assignee_id) as assignee_name, r.due_at as report_due_at, r.done_at as report_done_at
from tickets t
join customers c on c.tenant_id = t.tenant_id
left join lateral (
  select m.due_at, ts((m.payload ->> 'at')::bigint) as done_at
  from timers m
  where m.tenant_id = t.tenant_id and m.kind = 'report-due' and m.subject_id = t.id and t.status not in ('cancelled', 'merged')
    and (m.state <> 'cancelled' or m.payload ? 'by')
  order by m.origin_seq desc
  limit 1
) r on true
where t.id = $1::bigint and t.tenant_id = any ((select current_setting('app.current_tenants')::bigint[])::bigint[])
