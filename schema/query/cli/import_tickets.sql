-- cli/import_tickets: store the staged tickets.
-- mode: job   shape: rows   class: job
-- $1 tenant    bigint  call.tenant    required
-- $2 policy    bigint  call.policy    required
-- $3 calendar  bigint  call.calendar  required
insert into tickets (tenant_id, id, title, status, priority, priority_source, priority_confirmed, source, category, impact, urgency, requester_kind,
  level, policy_id, calendar_id, cycle, opened_at, last_at, updated_at, first_response_at, resolved_at, last_stop_at, closed_at, closed_by,
  sla_breached, first_response_done, muted, external_id)
overriding system value
select $1::bigint, m.id, s.title, s.status, s.priority, 'import', true, 'import', s.category, nullif(s.impact, 0), nullif(s.urgency, 0), 'system',
  least(s.level, 3), $2::bigint, $3::bigint, s.cycle, ts(s.opened), ts(s.last), ts(s.last), ts(s.first_response), ts(s.resolved), ts(s.last_stop),
  ts(s.closed), case when s.closed is not null then 'import' end, s.breached, s.responded, true, s.external_id
from s_ticket s
join s_new m on m.n = s.n
