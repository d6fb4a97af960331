-- cli/demo_staff: the staff of the demo.
-- mode: job   shape: rows   class: job
select s.id, s.username
from staff s
where s.disabled_at is null
order by s.id
