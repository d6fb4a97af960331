-- job/done: instance $2 has ended its run of job $1; $4: it succeeded, and the period begins now.
-- mode: job   shape: rows   class: job
-- $1 name  text    call.name  required
-- $2 me    text    call.me    required
-- $3 now   bigint  call.now   required
-- $4 ok    bool    call.ok    required
update job_claims j set owner = null, claim_until = null, done_at = case when $4::boolean then ts($3::bigint) else j.done_at end
where j.name = $1 and j.owner = $2
returning j.name
