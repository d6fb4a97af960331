-- keys/first: store the first data keys; when several instances start at once, the keys of one of them are kept.
-- mode: job   shape: rows   class: job
-- $1 index  text    call.index  required
-- $2 data   text    call.data   required
-- $3 now    bigint  call.now    required
insert into field_keys (id, wrapped, created_at, active_from)
select k.id, decode(k.wrapped, 'hex'), ts($3::bigint), ts($3::bigint)
from (values (0, $1::text), (1000, $2::text)) as k(id, wrapped)
where not exists (select from field_keys f)
on conflict (tenant_id, id) do nothing
returning id
