-- factor/step_sms: send a code to the phone, at most three for each login. Only its digest is stored; the code itself is kept until it is sent. No row: no further
-- code is allowed, or the user has no phone number.
-- mode: job   shape: rows   class: job
-- $1 tenant   bigint  call.tenant   required
-- $2 id       bigint  call.id       required
-- $3 now      bigint  call.now      required
-- $4 sha256   text    call.sha256   required
-- $5 sealed   text    call.sealed   required
-- $6 address  text    call.address  required
with s as (
  update login_steps x set code_sha256 = $4::text, code_sent = x.code_sent + 1
  from client_users u
  where x.tenant_id = $1::bigint and x.id = $2::bigint and x.done_at is null and x.code_sent < 3 and x.began_at > ts($3::bigint) - interval '5 minutes'
    and x.actor_kind = 'customer' and u.tenant_id = x.tenant_id and u.id = x.actor_id and u.phone is not null
  returning x.tenant_id, x.actor_kind, x.actor_id
), e as materialized (
  select s.*, account_event(s.tenant_id, s.actor_kind, s.actor_id, 'auth.code_asked', null, $3::bigint,
    jsonb_build_object('code', $5::text, 'step', $2::bigint, 'address', $6::text)) as seq
  from s
)
insert into notifications (tenant_id, event_seq, ticket_id, recipient_kind, recipient_id, channel, template, next_attempt_at, created_at)
select e.tenant_id, e.seq, null, e.actor_kind, e.actor_id, 'sms', 'auth_code_sms', ts($3::bigint), ts($3::bigint) from e
returning event_seq as told
