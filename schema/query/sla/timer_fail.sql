-- sla/timer_fail: end a timer whose consequence no longer applies or has failed too often.
-- mode: job   shape: rows   class: fire
-- $1 tenant  bigint  call.tenant  required
-- $2 id      bigint  call.id      required
-- $3 state   text    call.state   required
update timers set state = $3::text, attempts = attempts + 1
where tenant_id = $1::bigint and id = $2::bigint and state = 'pending'
returning id
