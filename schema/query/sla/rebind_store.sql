-- sla/rebind_store: store the commands of upkeep; they never wait in the connections of the deadlines.
-- mode: job   shape: rows   class: job
-- $1 docs  json  call.docs  required
select s.ti, s.tenant_id, s.id, s.number, s.version, s.base
from desk_store($1::jsonb) s
