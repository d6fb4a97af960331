-- ticket/load: a ticket's state for the ticket command.
-- mode: write   shape: rows   class: point
-- $1 id  bigint  call.id  required
select s.doc
from ticket_state s
where s.id = $1::bigint and s.tenant_id = any ((select current_setting('app.current_tenants')::bigint[])::bigint[])
limit 1
