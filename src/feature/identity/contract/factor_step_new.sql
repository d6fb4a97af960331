-- factor/step_new: the first proof was correct; wait for the second factor. Returns the methods that can be used.
-- mode: job   shape: rows   class: job
-- $1 tenant    bigint  call.tenant    required
-- $2 kind      text    call.kind      required
-- $3 actor     bigint  call.actor     required
-- $4 username  text    call.username  required
-- $5 method    text    call.method    required
-- $6 now       bigint  call.now       required
-- $7 sms       bool    call.sms       required
-- $8 address   text    call.address   required
insert into login_steps (tenant_id, actor_kind, actor_id, username, method, began_at, network)
values ($1::bigint, $2::text, $3::bigint, $4::text, $5::text, ts($6::bigint), login_network($8::text))
returning id, (
  select to_json(array_remove(array[case when p.totp then 'totp' end, case when p.passkey then 'passkey' end, case when p.recovery then 'recovery' end,
    case when mail_may_prove($1::bigint, $2::text, $3::bigint, $5::text) then 'mail' end,
    case when $7::bool and exists (select from client_users u where $2::text = 'customer' and u.tenant_id = $1::bigint and u.id = $3::bigint
      and u.phone is not null) then 'sms' end], null))::text
  from proofs_of($1::bigint, $2::text, $3::bigint) p) as methods
