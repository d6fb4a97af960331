-- bus/counters: every tenant's last seq.
-- mode: job   shape: rows   class: job
select c.tenant_id, c.seq
from tenant_counters c
order by c.tenant_id
limit 100000
