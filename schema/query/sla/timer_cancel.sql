-- sla/timer_cancel: end a timer whose consequence no longer applies.
-- mode: job   shape: rows   class: fire
-- $1 tenant  bigint  call.tenant  required
-- $2 id      bigint  call.id      required
update timers set state = 'cancelled'
where tenant_id = $1::bigint and id = $2::bigint and state = 'pending'
returning id
