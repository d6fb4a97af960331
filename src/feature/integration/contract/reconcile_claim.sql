-- reconcile/claim: claim the comparison with the source system: one instance at a time; an unfinished comparison is started again after an hour. A start in the future was written by a clock that has gone back since.
-- mode: job   shape: rows   class: job
-- $1 now    bigint  call.now    required
-- $2 every  bigint  call.every  required
insert into source_runs as r (tenant_id, started_at, ended) values (1, ts($1::bigint), false)
on conflict (tenant_id) do update set started_at = excluded.started_at, ended = false
where r.started_at > ts($1::bigint) + interval '1 minute' or r.started_at <= ts($1::bigint) - make_interval(secs => case when r.ended then $2::bigint else least($2::bigint, 3600) end)
returning tenant_id
