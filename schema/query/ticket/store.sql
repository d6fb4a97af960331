-- ticket/store: write what the ticket command decided. No row: the ticket has changed meanwhile.
-- mode: write   shape: rows   class: point
-- $1 docs  json  call.docs  required
select s.ti, s.tenant_id, s.id, s.number, s.version, s.base
from desk_store($1::jsonb) s
limit 1
