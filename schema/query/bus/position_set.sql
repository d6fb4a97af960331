-- bus/position_set: store a consumer's position.
-- mode: job   shape: rows   class: job
-- $1 consumer  text  call.consumer  required
-- $2 tenants   text  call.tenants   required
-- $3 seqs      text  call.seqs      required
insert into consumer_positions (tenant_id, consumer, seq)
select p.tenant_id, $1::text, p.seq from unnest($2::bigint[], $3::bigint[]) as p(tenant_id, seq)
on conflict (tenant_id, consumer) do update set seq = excluded.seq
where consumer_positions.seq < excluded.seq -- every instance reports it; one of them writes
returning tenant_id
