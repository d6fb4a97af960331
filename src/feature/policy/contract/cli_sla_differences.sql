-- cli/sla_differences: what the nightly check found to differ, of all tenants or of one.
-- mode: job   shape: rows   class: job
-- $1 code  text  call.code  required
select c.code, t.number, x.clock, d.found_at, x.stored, x.reckoned
from sla_differences d
join tickets t on t.tenant_id = d.tenant_id and t.id = d.ticket_id
join customers c on c.tenant_id = d.tenant_id
cross join jsonb_to_recordset(d.clocks) as x(clock text, stored text, reckoned text)
where $1 = '' or c.code = $1
order by c.code, t.id, x.clock
