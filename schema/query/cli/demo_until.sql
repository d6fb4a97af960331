-- cli/demo_until: the demo has a past up to this instant.
-- mode: job   shape: rows   class: job
-- $1 now    time  call.now    required
-- $2 until  time  call.until  required
insert into demo (tenant_id, made_at, until)
values (1, $1::timestamptz, $2::timestamptz)
on conflict (tenant_id) do update set until = excluded.until
returning tenant_id
