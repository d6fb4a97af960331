-- admin/staff_list: the provider's staff that tickets can be assigned to.
-- zh: 服务商员工。
-- mode: read   shape: list   class: point   cursor: level id
-- $1 limit      int     query.limit  default=200 range=1..200
-- $2 cursor_at  bigint  cursor.0     optional
-- $3 cursor_id  bigint  cursor.1     optional
-- returns id bigint, username text, full_name text, role text, level smallint, on_call boolean, serves_all boolean
select s.id, s.username, s.full_name, s.role, s.level, s.on_call, s.serves_all
from staff s
where s.disabled_at is null and ($2::bigint is null or (s.level, s.id) > ($2::bigint, coalesce($3::bigint, 0)))
order by s.level, s.id
limit $1::int
