-- job/claim: may instance $2 run job $1 now? It may when the job is due and no other instance holds it; an expired claim is taken over. An instant more than a minute ahead was written by a clock that has gone back since: it counts as past.
-- mode: job   shape: rows   class: job
-- $1 name   text    call.name   required
-- $2 me     text    call.me     required
-- $3 now    bigint  call.now    required
-- $4 every  bigint  call.every  required
-- $5 until  bigint  call.until  required
insert into job_claims as j (name, owner, claim_until) values ($1, $2, ts($5::bigint))
on conflict (name) do update set owner = excluded.owner, claim_until = excluded.claim_until
where (j.owner = $2 or j.claim_until is null or j.claim_until < ts($3::bigint) or j.claim_until > ts($5::bigint) + interval '1 minute')
  and (j.done_at is null or j.done_at <= ts($3::bigint - $4::bigint) or j.done_at > ts($3::bigint) + interval '1 minute')
returning name
