-- cli/demo_mark: is this installation a demo, up to when has it a past, and is anybody there?
-- mode: job   shape: rows   class: job
select us(d.until), exists (select from customers c where c.tenant_id > 1) or exists (select from staff)
from (select 1) one
left join demo d on d.tenant_id = 1
