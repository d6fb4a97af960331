-- factor/step_new: the password was correct; wait for the second factor.
-- mode: job   shape: rows   class: job
-- $1 tenant    bigint  call.tenant    required
-- $2 kind      text    call.kind      required
-- $3 actor     bigint  call.actor     required
-- $4 username  text    call.username  required
-- $5 method    text    call.method    required
-- $6 now       bigint  call.now       required
insert into login_steps (tenant_id, actor_kind, actor_id, username, method, began_at)
values ($1::bigint, $2::text, $3::bigint, $4::text, $5::text, ts($6::bigint))
returning id, exists (select from client_users u where $2::text = 'customer' and u.tenant_id = $1::bigint and u.id = $3::bigint
  and u.phone is not null) as has_phone
