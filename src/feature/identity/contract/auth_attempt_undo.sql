-- auth/attempt_undo: take back an attempt that no helper process could check.
-- mode: job   shape: rows   class: job
-- $1 tenant    bigint  call.tenant    required
-- $2 username  text    call.username  required
update login_attempts set attempts = attempts - 1 where tenant_id = $1::bigint and username = lower($2::text) and attempts > 0
returning attempts
