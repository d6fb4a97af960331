-- sync/look: the ticket of a message, and whether the message was received before.
-- mode: write   shape: rows   class: point
-- $1 tenant    bigint  call.tenant    required
-- $2 external  text    call.external  required
-- $3 event     text    call.event     required
-- $4 assignee  text    call.assignee  optional
select exists (select from sync_events e where e.tenant_id = $1::bigint and e.event_id = $3::text) as known, us(s.last_at) as last_at, t.id, t.number,
  t.status, t.priority, t.assignee_id, t.title,
  (select f.id from staff f where $4::text is not null and f.username = lower($4::text)
    and door.staff_serves(f.id, $1::bigint) limit 1) as wanted_assignee
from (select 1) x
left join sync_tickets s on s.tenant_id = $1::bigint and s.external_id = $2::text
left join tickets t on t.tenant_id = $1::bigint and t.external_id = $2::text
limit 1
