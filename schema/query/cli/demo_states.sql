-- cli/demo_states: how many tickets there are in each state.
-- mode: job   shape: rows   class: job
select t.status, count(*)
from tickets t
where t.tenant_id > 1
group by t.status
