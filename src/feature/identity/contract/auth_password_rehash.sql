-- auth/password_rehash: store the hash of the same password in its composed form (NFC).
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
-- $2 kind    text    call.kind    required
-- $3 actor   bigint  call.actor   required
-- $4 old     text    call.old     required
-- $5 new     text    call.new     required
with s as (
  update staff set password_hash = $5::text
  where $2::text = 'staff' and tenant_id = $1::bigint and id = $3::bigint and password_hash = $4::text
), u as (
  update client_users set password_hash = $5::text
  where $2::text = 'customer' and tenant_id = $1::bigint and id = $3::bigint and password_hash = $4::text
)
select 1 as done
