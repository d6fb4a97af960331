-- rollup/missed: at start, the tickets with events after the last one followed; for a tenant never followed, the tickets not counted yet.
-- They come in order of their ids, 500 after a given one.
-- mode: job   shape: rows   class: job
-- $1 after_tenant  bigint  call.after_tenant  required
-- $2 after_ticket  bigint  call.after_ticket  required
select x.tenant_id, x.ticket_id
from (
  (select t.tenant_id, t.id as ticket_id
  from tickets t
  where (t.tenant_id, t.id) > ($1::bigint, $2::bigint)
    and not exists (select from consumer_positions p where p.tenant_id = t.tenant_id and p.consumer = 'rollup')
    and not exists (select from ticket_outcomes o where o.tenant_id = t.tenant_id and o.ticket_id = t.id)
  order by t.tenant_id, t.id
  limit 500)
  union all
  (select distinct e.tenant_id, e.ticket_id
  from consumer_positions p join events e on e.tenant_id = p.tenant_id and e.seq > p.seq
  where p.consumer = 'rollup' and e.ticket_id is not null and (e.tenant_id, e.ticket_id) > ($1::bigint, $2::bigint)
  order by e.tenant_id, e.ticket_id
  limit 500)) x
order by x.tenant_id, x.ticket_id
limit 500
