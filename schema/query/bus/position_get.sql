-- bus/position_get: a consumer's position in each tenant.
-- mode: job   shape: rows   class: job
-- $1 consumer  text  call.consumer  required
select c.tenant_id, coalesce(p.seq, c.seq) as seq
from tenant_counters c
left join consumer_positions p on p.tenant_id = c.tenant_id and p.consumer = $1::text
order by c.tenant_id
