-- sso/login_new: a login has been sent to an identity provider.
-- mode: job   shape: rows   class: job
-- $1 tenant    bigint  call.tenant    required
-- $2 provider  bigint  call.provider  required
-- $3 state     text    call.state     required
-- $4 nonce     text    call.nonce     required
-- $5 verifier  text    call.verifier  required
-- $6 next      text    call.next      optional
-- $7 now       bigint  call.now       required
-- $8 version   bigint  call.version   required
-- $9 fresh     bool    call.fresh     required
insert into sso_logins (tenant_id, provider_id, state_sha256, nonce, verifier, next_page, began_at, provider_version, fresh)
values ($1::bigint, $2::bigint, $3::text, $4::text, $5::text, $6::text, ts($7::bigint), $8::bigint, $9::bool)
returning id
