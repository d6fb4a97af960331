-- factor/step_who: whose login waits for its second step.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
-- $2 id      bigint  call.id      required
select s.actor_kind, s.actor_id from login_steps s where s.tenant_id = $1::bigint and s.id = $2::bigint and s.done_at is null
