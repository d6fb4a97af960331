-- ticket/rca_state: how many root-cause analyses are open, and how many of them are overdue at $1.
-- mode: job   shape: rows   class: job
-- $1 now  bigint  call.now  required
select count(*), count(*) filter (where r.due_at <= ts($1::bigint)) from rca_tasks r where r.done_at is null
