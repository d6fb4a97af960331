-- customer/ids: which customers deliveries are about, as customers_take finds them, or the ids that new ones get: their contacts are encrypted for them.
-- mode: job   shape: rows   class: job
-- $1 names  json  call.names  required
with x as materialized (
  select n.i, n.external_id, n.code from jsonb_to_recordset($1::jsonb) as n(i int, external_id text, code text)
), e as materialized (
  select distinct on (x.external_id) x.external_id, x.code from x order by x.external_id, x.i
), t as materialized (
  select e.external_id, coalesce((select k.tenant_id from customer_details k where k.external_id = e.external_id limit 1),
    (select c.tenant_id from customers c left join customer_details k on k.tenant_id = c.tenant_id
     where c.code = e.code and c.tenant_id > 1 and k.tenant_id is null limit 1),
    nextval(pg_get_serial_sequence('customers', 'tenant_id'))) as tenant_id
  from e
)
select x.i, t.tenant_id from x join t on t.external_id = x.external_id order by x.i
