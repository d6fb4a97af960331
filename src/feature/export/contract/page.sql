-- export/page: the next tickets of an export, newest first, as its creator sees them.
-- mode: read   shape: rows   class: slow
-- $1 limit          int     call.limit          required
-- $2 after_at       time    call.after_at       optional
-- $3 after_id       bigint  call.after_id       optional
-- $4 statuses       text    call.statuses       optional
-- $5 priorities     text    call.priorities     optional
-- $6 service_types  text    call.service_types  optional
-- $7 from           text    call.from           optional
-- $8 to             text    call.to             optional
select t.opened_at as after_at, t.id as after_id, t.number as ticket_id, t.title, t.status, t.priority, t.service_type, t.department, t.project, t.region,
  t.opened_at as created_at, t.first_response_at, t.resolved_at, t.closed_at, t.sla_breached
from export_rows($4::text[], $5::text[], $6::text[], $7::date, $8::date) t
where $2::timestamptz is null or (t.opened_at, t.id) < ($2::timestamptz, $3::bigint)
order by t.opened_at desc, t.id desc
limit $1::int
