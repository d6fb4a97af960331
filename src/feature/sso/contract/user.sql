-- sso/user: the user for a provider's subject: linked before, or with this (verified) mail address, or created now if the provider allows it.
-- If the provider names a role, the user gets it. No row: no such user.
-- mode: job   shape: rows   class: job
-- $1 tenant    bigint  call.tenant    required
-- $2 provider  bigint  call.provider  required
-- $3 subject   text    call.subject   required
-- $4 mail      text    call.mail      optional
-- $5 index     text    call.index     optional
-- $6 username  text    call.username  optional
-- $7 name      text    call.name      optional
-- $8 role      text    call.role      optional
-- $9 create    bool    call.create    required
-- $10 now      bigint  call.now       required
-- $11 lang     text    call.lang      required
-- $12 id       bigint  call.id        optional
with known as materialized (
  select i.user_id from user_identities i where i.tenant_id = $1::bigint and i.provider_id = $2::bigint and i.subject = $3::text
), mailed as materialized (
  select u.id as user_id from client_users u where not exists (select from known) and $5::text is not null and u.tenant_id = $1::bigint and left(u.email_index, 64) = left($5::text, 64)
), made as (
  insert into client_users (tenant_id, id, username, full_name, email, email_index, lang, role_type, created_at)
  select $1::bigint, $12::bigint, $6::text, $7::text, $4::text, $5::text, $11::text, coalesce($8::text, 'user'), ts($10::bigint)
  where $9::bool and $4::text is not null and $6::text is not null and not exists (select from known) and not exists (select from mailed)
  on conflict do nothing
  returning id as user_id
), who as materialized (
  select user_id from known union all select user_id from mailed union all select user_id from made
), linked as (
  insert into user_identities (tenant_id, provider_id, subject, user_id, linked_at)
  select $1::bigint, $2::bigint, $3::text, w.user_id, ts($10::bigint) from who w where not exists (select from known)
  on conflict do nothing
), role as (
  update client_users u set role_type = $8::text, updated_at = ts($10::bigint)
  from who w where $8::text is not null and u.tenant_id = $1::bigint and u.id = w.user_id and u.role_type <> $8::text
  returning u.id
)
select w.user_id, coalesce(u.username, $6::text) as username, u.disabled_at is not null as disabled, (select count(*) from made) as made,
  (select count(*) from role) as role_changed
from who w left join client_users u on u.tenant_id = $1::bigint and u.id = w.user_id
limit 1
