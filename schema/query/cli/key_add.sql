-- cli/key_add: store a new key of personal fields; an existing key is not replaced.
-- mode: job   shape: rows   class: job
-- $1 id       int   call.id       required
-- $2 wrapped  text  call.wrapped  required
-- $3 now      time  call.now      required
-- $4 from     time  call.from     required
insert into field_keys (id, wrapped, created_at, active_from)
values ($1::int, decode($2, 'hex'), $3::timestamptz, $4::timestamptz)
on conflict (tenant_id, id) do nothing
returning id
