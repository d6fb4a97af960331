-- reconcile/state: whether a tenant's numbers can be trusted, from the last comparison with its source system.
-- mode: read   shape: rows   class: point
-- $1 tenant  bigint  call.tenant  required
select case c.state when 'repairing' then 'repairing' when 'differs' then 'differs' when 'failed' then 'differs' else 'ok' end as quality
from (select 1) x
left join lateral (select k.state from source_checks k where k.tenant_id = $1::bigint order by k.started_at desc limit 1) c on true
limit 1
