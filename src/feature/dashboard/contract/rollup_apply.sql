-- rollup/apply: count tickets as they are now, and store how far each tenant's events have been followed.
-- mode: job   shape: rows   class: job
-- $1 tenants    text  call.tenants    required
-- $2 tickets    text  call.tickets    required
-- $3 followed   text  call.followed   required
-- $4 positions  text  call.positions  required
with a as materialized (
  select rollup_apply($1::bigint[], $2::bigint[]) as changed
), p as (
  insert into consumer_positions (tenant_id, consumer, seq)
  select x.tenant_id, 'rollup', x.seq from unnest($3::bigint[], $4::bigint[]) as x(tenant_id, seq)
  where (select a.changed from a) is not null
  order by x.tenant_id
  on conflict (tenant_id, consumer) do update set seq = excluded.seq where consumer_positions.seq < excluded.seq
)
select a.changed from a
