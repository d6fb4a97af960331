-- sla/load_due: the state of the tickets whose clocks are due, and the earliest instant that is stored as due for each.
-- mode: job   shape: rows   class: fire
-- $1 tenants  text  call.tenants  required
-- $2 ids      text  call.ids      required
select s.doc, s.tenant_id, s.id,
  (select min(c.next_fire_at) from sla_clocks c where c.tenant_id = k.tenant_id and c.ticket_id = k.id) as due
from unnest($1::bigint[], $2::bigint[]) as k(tenant_id, id)
join ticket_state s on s.tenant_id = k.tenant_id and s.id = k.id
