-- sso/provider_get: a provider by its id, for a message from the provider.
-- mode: job   shape: rows   class: job
-- $1 tenant    bigint  call.tenant    required
-- $2 provider  bigint  call.provider  required
select p.kind, p.client_id, p.settings from identity_providers p where p.tenant_id = $1::bigint and p.id = $2::bigint and p.active
