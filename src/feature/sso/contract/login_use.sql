-- sso/login_use: a login has come back from the provider: once, within ten minutes, and only if the provider has not been changed since.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
-- $2 id      bigint  call.id      required
-- $3 state   text    call.state   required
-- $4 now     bigint  call.now     required
with l as (
  update sso_logins set used_at = ts($4::bigint)
  where tenant_id = $1::bigint and id = $2::bigint and state_sha256 = $3::text and used_at is null and began_at > ts($4::bigint) - interval '10 minutes'
  returning tenant_id, provider_id, nonce, sealed_at('sso_logins.verifier', tenant_id, sealed_row(sso_logins), verifier) as verifier, next_page, provider_version, fresh
)
select p.id, p.kind, p.client_id,
  sealed_at('identity_providers.client_secret', p.tenant_id, sealed_row(p), p.client_secret) as client_secret, p.settings, l.nonce, l.verifier, l.next_page, l.fresh
from l join identity_providers p on p.tenant_id = l.tenant_id and p.id = l.provider_id and p.version = l.provider_version and p.active
