-- notify/done: record the result of an attempt; a failed notification waits for its next attempt or is dead.
-- Attempts are counted here, so that a claim that was lost in a crash is not one.
-- Only who holds the claim may put it back or give it up. A success is recorded even if the claim has passed to another instance, which then need not send it again.
-- mode: job   shape: rows   class: job
-- $1 tenant   bigint  call.tenant   required
-- $2 id       bigint  call.id       required
-- $3 claim    text    call.claim    required
-- $4 attempt  int     call.attempt  required
-- $5 state    text    call.state    required
-- $6 now      bigint  call.now      required
-- $7 next     bigint  call.next     required
-- $8 detail   text    call.detail   optional
-- $9 took_ms  int     call.took_ms  required
with n as (
  update notifications set state = $5::text, attempts = greatest(attempts, $4::int), claimed_by = null, claim_until = null, next_attempt_at = ts($7::bigint),
    sent_at = case when $5::text = 'sent' then ts($6::bigint) end, last_error = case when $5::text = 'sent' then null else $8::text end
  where tenant_id = $1::bigint and id = $2::bigint and state = 'queued' and (claimed_by = $3::text or $5::text = 'sent')
  returning tenant_id, id
)
insert into deliveries (tenant_id, notification_id, attempt, at, ok, took_ms, detail)
select n.tenant_id, n.id, $4::int, ts($6::bigint), $5::text = 'sent', $9::int, $8::text
from n
returning id
