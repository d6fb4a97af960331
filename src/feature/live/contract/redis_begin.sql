-- redis/begin: up to which event each tenant's Redis stream is known to be whole, and the newest event. Streams begin now for tenants that have none; what the stream would not keep is left out.
-- mode: job   shape: rows   class: job
-- $1 keep  int  call.keep  required
with fresh as (
  insert into consumer_positions (tenant_id, consumer, seq)
  select c.tenant_id, 'redis', c.seq from tenant_counters c
  where not exists (select from consumer_positions p where p.tenant_id = c.tenant_id and p.consumer = 'redis')
  on conflict (tenant_id, consumer) do nothing
)
select c.tenant_id, greatest(coalesce(p.seq, c.seq), c.seq - $1::int) as published, c.seq as latest
from tenant_counters c
left join consumer_positions p on p.tenant_id = c.tenant_id and p.consumer = 'redis'
order by c.tenant_id
