-- auth/reset_ask: mail a link (to set a new password, or to log in) to the user of this name, if there is one; at most one in five minutes. An address that an administrator has given and its owner has not confirmed gets none.
-- mode: job   shape: rows   class: job
-- $1 tenant    text    call.tenant    required
-- $2 username  text    call.username  required
-- $3 now       bigint  call.now       required
-- $4 address   text    call.address   required
-- $5 purpose   text    call.purpose   required
with who as materialized (
  select d.tenant_id, case d.tenant_id when 1 then 'staff' else 'customer' end as kind, d.subject_id as id, $2::text as username
  from door.login($1::text, $2::text) d where d.hash is not null
    and not exists (select from client_users u where d.tenant_id > 1 and u.tenant_id = d.tenant_id and u.id = d.subject_id and u.address_given_at is not null)
), r as (
  insert into password_resets (tenant_id, actor_kind, actor_id, asked_at, purpose)
  select w.tenant_id, w.kind, w.id, ts($3::bigint), $5::text from who w
  where not exists (select from password_resets p where p.tenant_id = w.tenant_id and p.actor_kind = w.kind and p.actor_id = w.id
    and p.purpose = $5::text and p.asked_at > ts($3::bigint) - interval '5 minutes')
  returning tenant_id, id, actor_kind, actor_id
)
select r.id, account_event(r.tenant_id, r.actor_kind, r.actor_id, case $5::text when 'link' then 'auth.link_asked' else 'auth.reset_asked' end,
  case $5::text when 'link' then 'auth_link' else 'auth_reset' end, $3::bigint,
  jsonb_build_object('reset_id', r.id, 'address', $4::text, 'username', (select w.username from who w))) as told
from r
