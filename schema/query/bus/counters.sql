-- bus/counters: the last seq of every tenant.
-- mode: job   shape: rows   class: job
select c.tenant_id, c.seq
from tenant_counters c
order by c.tenant_id
