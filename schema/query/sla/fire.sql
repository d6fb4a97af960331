-- sla/fire: store everything that fell due in one turn, as one array statement.
-- mode: job   shape: rows   class: fire
-- $1 docs  json  call.docs  required
select s.ti, s.tenant_id, s.id, s.number, s.version, s.base
from desk_store($1::jsonb) s
