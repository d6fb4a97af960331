-- rollup/missed: at start, the tickets with events after the last one followed; for a tenant never followed, the tickets not counted yet.
-- mode: job   shape: rows   class: job
select distinct e.tenant_id, e.ticket_id
from tenant_counters c
left join consumer_positions p on p.tenant_id = c.tenant_id and p.consumer = 'rollup'
join events e on e.tenant_id = c.tenant_id and e.seq > coalesce(p.seq, 0)
where e.ticket_id is not null
  and (p.seq is not null or not exists (select from ticket_outcomes o where o.tenant_id = e.tenant_id and o.ticket_id = e.ticket_id))
limit 500
