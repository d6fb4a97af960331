-- auth/attempt_fail: the fifth wrong password locked the account; notify its owner, if there is one.
-- mode: job   shape: rows   class: job
-- $1 tenant   bigint  call.tenant   required
-- $2 kind     text    call.kind     required
-- $3 actor    bigint  call.actor    optional
-- $4 now      bigint  call.now      required
-- $5 address  text    call.address  required
select case when $3::bigint is not null then
  account_event($1::bigint, $2::text, $3::bigint, 'auth.locked', 'auth_locked', $4::bigint, jsonb_build_object('address', $5::text)) end as told
