-- admin/staff_list: the provider's staff that tickets can be assigned to.
-- zh: 服务商员工。
-- mode: read   shape: list   class: point
-- returns id bigint, username text, full_name text, role text, level smallint, on_call boolean
select s.id, s.username, s.full_name, s.role, s.level, s.on_call
from staff s
where s.disabled_at is null
order by s.level, s.id
limit 200
