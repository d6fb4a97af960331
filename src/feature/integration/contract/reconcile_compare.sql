-- reconcile/compare: the tickets of the source system that differ here or are missing here; newer: this side knows of a later change.
-- mode: read   shape: rows   class: point
-- $1 tenant  bigint  call.tenant  required
-- $2 theirs  json    call.theirs  required
select x.n::int as n, coalesce(s.last_at > ts(x.at), false) as newer
from jsonb_to_recordset($2::jsonb) as x(n bigint, id text, status text, priority text, at bigint)
left join sync_tickets s on s.tenant_id = $1::bigint and s.external_id = x.id
left join tickets t on t.tenant_id = $1::bigint and t.id = s.ticket_id
where t.id is null or (x.status is not null and t.status <> x.status) or (x.priority is not null and t.priority <> x.priority)
order by x.n
limit 1000
