-- sealing/begin: begin the change-over from an earlier version, once: store the first key that encrypts values with their place, and the marks of the
-- columns. Not while an instance of the earlier version runs ($5: the operator says that none does), nor if a value is already bound to its place.
-- mode: job   shape: rows   class: job
-- $1 key      text    call.key      required
-- $2 marks    json    call.marks    required
-- $3 now      bigint  call.now      required
-- $4 from     bigint  call.from     required
-- $5 by_hand  bool    call.by_hand  required
with k as (
  insert into field_keys (id, wrapped, created_at, active_from)
  select 1000, decode($1::text, 'hex'), ts($3::bigint), ts($4::bigint)
  where exists (select from field_keys f where f.id between 1 and 999) and not exists (select from field_keys f where f.id >= 1000)
    and ($5::bool or places_are_read()) and not sealed_begun()
  on conflict (tenant_id, id) do nothing
  returning id
)
insert into sealed_columns (name, open)
select m.name, m.open from k, jsonb_to_recordset($2::jsonb) as m(name text, open text)
on conflict (tenant_id, name) do update set open = excluded.open
returning name
