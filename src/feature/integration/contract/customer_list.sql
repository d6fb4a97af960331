-- customer/list: the customers that the caller serves, with the data from their source system.
-- zh: 所服务的客户及其来自源系统的资料。
-- mode: read   shape: list   class: point   cursor: tenant_id tenant_id
-- $1 limit      int     query.limit      default=50 range=1..200
-- $2 cursor_at  bigint  cursor.0         optional
-- $3 cursor_id  bigint  cursor.1         optional
-- $4 tenant_id  bigint  query.tenant_id  optional range=1..9007199254740991
-- returns tenant_id bigint, code text, name text, status text, external_id text, vip boolean, customer_success_manager text, hotline text,
-- returns contracts jsonb, synced_at timestamptz
select c.tenant_id, c.code, c.name, c.status, d.external_id, coalesce(d.vip, false) as vip, d.customer_success_manager, d.hotline,
  coalesce((select jsonb_agg(jsonb_build_object('external_id', k.external_id, 'name', k.name, 'status', k.status, 'starts_on', k.starts_on,
    'ends_on', k.ends_on) order by k.external_id) from contracts k where k.tenant_id = c.tenant_id), '[]') as contracts, d.synced_at
from customers c left join customer_details d on d.tenant_id = c.tenant_id
where c.tenant_id > 1 and c.tenant_id = any ((select current_setting('app.current_tenants')::bigint[])::bigint[])
  and ($2::bigint is null or c.tenant_id > coalesce($3::bigint, 0)) and ($4::bigint is null or c.tenant_id = $4::bigint)
order by c.tenant_id
limit $1::int
