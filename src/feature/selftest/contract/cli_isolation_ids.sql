-- cli/isolation_ids: ids of a customer's rows, of each kind that a route names.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
(select t.id::text from tickets t where t.tenant_id = $1::bigint order by t.id desc limit 3)
union all (select t.number from tickets t where t.tenant_id = $1::bigint order by t.id desc limit 1)
union all (select u.id::text from client_users u where u.tenant_id = $1::bigint order by u.id desc limit 3)
union all (select w.id::text from webhooks w where w.tenant_id = $1::bigint order by w.id desc limit 2)
union all (select s.id::text from sessions s where s.tenant_id = $1::bigint order by s.id desc limit 2)
union all (select d.id::text from dashboard_configs d where d.tenant_id = $1::bigint order by d.id desc limit 2)
union all (select p.id::text from identity_providers p where p.tenant_id = $1::bigint order by p.id desc limit 2)
union all (select f.id::text from factors f where f.tenant_id = $1::bigint order by f.id desc limit 2)
