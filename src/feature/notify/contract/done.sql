-- notify/done: record the result of an attempt; a failed notification waits for its next attempt or is dead.
-- mode: job   shape: rows   class: job
-- $1 tenant   bigint  call.tenant   required
-- $2 id       bigint  call.id       required
-- $3 state    text    call.state    required
-- $4 now      bigint  call.now      required
-- $5 next     bigint  call.next     required
-- $6 detail   text    call.detail   optional
-- $7 took_ms  int     call.took_ms  required
with n as (
  update notifications set state = $3::text, claimed_by = null, claim_until = null, next_attempt_at = ts($5::bigint),
    sent_at = case when $3::text = 'sent' then ts($4::bigint) end, last_error = case when $3::text = 'sent' then null else $6::text end
  where tenant_id = $1::bigint and id = $2::bigint and state = 'queued'
  returning tenant_id, id, attempts
)
insert into deliveries (tenant_id, notification_id, attempt, at, ok, took_ms, detail)
select n.tenant_id, n.id, n.attempts, ts($4::bigint), $3::text = 'sent', $7::int, $6::text
from n
returning id
