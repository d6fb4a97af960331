-- sla/rebind_load: the state of the tickets that upkeep rebinds.
-- mode: job   shape: rows   class: job
-- $1 tenants  text  call.tenants  required
-- $2 ids      text  call.ids      required
select s.doc
from unnest($1::bigint[], $2::bigint[]) as k(tenant_id, id)
join ticket_state s on s.tenant_id = k.tenant_id and s.id = k.id
