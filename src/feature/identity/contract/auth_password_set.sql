-- auth/password_set: replace the password that was checked by a new one; end the other sessions, trusted devices and mailed links, and notify the owner.
-- mode: job   shape: rows   class: job
-- $1 tenant   bigint  call.tenant   required
-- $2 kind     text    call.kind     required
-- $3 actor    bigint  call.actor    required
-- $4 old      text    call.old      required
-- $5 new      text    call.new      required
-- $6 now      bigint  call.now      required
-- $7 keep     bigint  call.keep     required
-- $8 address  text    call.address  required
select account_password($1::bigint, $2::text, $3::bigint, $4::text, $5::text, false, $6::bigint, 'password changed', $7::bigint,
  jsonb_build_object('address', $8::text)) as told
