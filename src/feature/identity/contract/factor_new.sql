-- factor/new: add a factor, not yet confirmed (totp) or already proven (passkey); at most ten for each user.
-- mode: job   shape: rows   class: job
-- $1 tenant      bigint  call.tenant      required
-- $2 kind        text    call.kind        required
-- $3 actor       bigint  call.actor       required
-- $4 what        text    call.what        required
-- $5 name        text    call.name        required
-- $6 secret      text    call.secret      optional
-- $7 credential  text    call.credential  optional
-- $8 public      text    call.public      optional
-- $9 counter     bigint  call.counter     required
-- $10 now        bigint  call.now         required
-- $11 by         text    call.by          required
-- $12 address    text    call.address     required
-- $13 id         bigint  call.id          optional
with gone as (
  delete from factors f where f.tenant_id = $1::bigint and f.actor_kind = $2::text and f.actor_id = $3::bigint and f.confirmed_at is null
), n as (
  insert into factors (tenant_id, id, actor_kind, actor_id, kind, name, secret, credential_id, public_key, counter, created_at, confirmed_at)
  select $1::bigint, coalesce($13::bigint, nextval('factors_id_seq')), $2::text, $3::bigint, $4::text, $5::text, $6::text, $7::text, $8::text, $9::bigint, ts($10::bigint),
    case when $4::text = 'passkey' then ts($10::bigint) end
  where (select count(*) from factors f where f.tenant_id = $1::bigint and f.actor_kind = $2::text and f.actor_id = $3::bigint
    and f.confirmed_at is not null) < 10
  returning id
)
select n.id, case when $4::text = 'passkey' then account_event($1::bigint, $2::text, $3::bigint, 'auth.factor_added', 'auth_factor', $10::bigint,
  jsonb_build_object('by', $11::text, 'changed', '+ ' || $5::text, 'address', $12::text)) end as told
from n
