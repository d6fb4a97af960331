-- sla/timer_retry: count a failed attempt of a timer; after a given number of attempts the timer has failed for good.
-- mode: job   shape: rows   class: fire
-- $1 tenant    bigint  call.tenant    required
-- $2 id        bigint  call.id        required
-- $3 attempts  int     call.attempts  required
update timers set attempts = attempts + 1, state = case when attempts + 1 >= $3::int then 'failed' else state end
where tenant_id = $1::bigint and id = $2::bigint and state = 'pending'
returning attempts, state, kind
