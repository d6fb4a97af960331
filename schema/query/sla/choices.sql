-- sla/choices: the values that a tenant's tickets can use: its own catalogue and the built-in one.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
select c.kind, c.code, c.active, c.priority
from catalogue c
where c.tenant_id in ($1::bigint, 1)
order by c.kind, c.code, c.tenant_id desc
