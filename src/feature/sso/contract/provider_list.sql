-- sso/provider_list: a customer's identity providers, without their secrets, with the addresses to register at each.
-- zh: 身份提供方列表（不含密钥），附需在提供方登记的地址。
-- mode: read   shape: list   class: point   cursor: tenant_id provider_id
-- $1 tenant_id  bigint  query.tenant_id  optional range=1..9007199254740991
-- $2 url        text    session.url      required
-- $3 limit      int     query.limit  default=200 range=1..200
-- $4 cursor_at  bigint  cursor.0     optional
-- $5 cursor_id  bigint  cursor.1     optional
-- returns provider_id bigint, tenant_id bigint, kind text, name text, client_id text, has_secret boolean, settings jsonb, active boolean, version bigint,
-- returns created_at timestamptz, redirect_uri text, acs_uri text, metadata_uri text, backchannel_logout_uri text
select p.id as provider_id, p.tenant_id, p.kind, p.name, p.client_id, p.client_secret is not null as has_secret, p.settings, p.active, p.version, p.created_at,
  case when p.kind <> 'saml' then sso_address($2::text, 'callback', p) end as redirect_uri,
  case p.kind when 'saml' then sso_address($2::text, 'acs', p) end as acs_uri,
  case p.kind when 'saml' then sso_address($2::text, 'saml-metadata', p) end as metadata_uri,
  case p.kind when 'oidc' then sso_address($2::text, 'backchannel', p) end as backchannel_logout_uri
from identity_providers p
where p.tenant_id = any ((select current_setting('app.current_tenants')::bigint[])::bigint[]) and ($1::bigint is null or p.tenant_id = $1::bigint)
  and ($4::bigint is null or (p.tenant_id, p.id) > ($4::bigint, coalesce($5::bigint, 0)))
order by p.tenant_id, p.id
limit $3::int
