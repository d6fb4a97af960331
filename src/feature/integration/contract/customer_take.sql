-- customer/take: store customers, contracts and contacts from their source system.
-- mode: job   shape: rows   class: job
-- $1 docs  json    call.docs  required
-- $2 now   bigint  call.now   required
select t.n, t.tenant_id, t.created, t.changed, t.problem from customers_take($1::jsonb, $2::bigint) t
