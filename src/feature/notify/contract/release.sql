-- notify/release: give a claimed notification back that was not begun.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
-- $2 id      bigint  call.id      required
-- $3 claim   text    call.claim   required
update notifications set claimed_by = null, claim_until = null
where tenant_id = $1::bigint and id = $2::bigint and state = 'queued' and claimed_by = $3::text
returning id
