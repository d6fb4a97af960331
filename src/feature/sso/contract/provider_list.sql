-- sso/provider_list: a customer's identity providers, without their secrets.
-- zh: 身份提供方列表（不含密钥）。
-- mode: read   shape: list   class: point
-- $1 tenant_id  bigint  query.tenant_id  optional range=1..9007199254740991
-- returns provider_id bigint, tenant_id bigint, kind text, name text, client_id text, has_secret boolean, settings jsonb, active boolean, version bigint,
-- returns created_at timestamptz
select p.id as provider_id, p.tenant_id, p.kind, p.name, p.client_id, p.client_secret is not null as has_secret, p.settings, p.active, p.version, p.created_at
from identity_providers p
where p.tenant_id = any ((select current_setting('app.current_tenants')::bigint[])::bigint[]) and ($1::bigint is null or p.tenant_id = $1::bigint)
order by p.tenant_id, p.id
limit 200
