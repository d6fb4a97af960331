-- sla/verify_state: how many tickets differ from their history, and since when every customer's clocks have been checked.
-- mode: job   shape: rows   class: job
select (select count(*) from sla_differences), us(min(x.last)) from (select max(c.done_at) as last from sla_checks c where c.done_at is not null group by c.tenant_id) x
