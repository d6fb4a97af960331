-- factor/step_mail: send a code by mail, at most three for each login, if mail may be the second factor. Only its digest is stored; the code itself is kept until it is sent.
-- mode: job   shape: rows   class: job
-- $1 tenant   bigint  call.tenant   required
-- $2 id       bigint  call.id       required
-- $3 now      bigint  call.now      required
-- $4 sha256   text    call.sha256   required
-- $5 sealed   text    call.sealed   required
-- $6 address  text    call.address  required
with s as (
  update login_steps set code_sha256 = $4::text, code_sent = code_sent + 1
  where tenant_id = $1::bigint and id = $2::bigint and done_at is null and code_sent < 3 and began_at > ts($3::bigint) - interval '5 minutes'
    and mail_may_prove(tenant_id, actor_kind, actor_id, method)
  returning tenant_id, actor_kind, actor_id
)
select account_event(s.tenant_id, s.actor_kind, s.actor_id, 'auth.code_asked', 'auth_code', $3::bigint,
  jsonb_build_object('code', $5::text, 'step', $2::bigint, 'address', $6::text)) as told
from s
