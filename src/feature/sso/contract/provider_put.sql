-- sso/provider_put: create or change an identity provider. A secret that is left out is kept, unless an address that leads to where it is sent
-- has changed: then nothing is stored, and the row names what has changed.
-- mode: write   shape: rows   class: point
-- $1 id         bigint  call.id         optional
-- $2 kind       text    call.kind       required
-- $3 name       text    call.name       required
-- $4 client_id  text    call.client_id  required
-- $5 secret     text    call.secret     optional
-- $6 settings   json    call.settings   required
-- $7 active     bool    call.active     required
-- $8 now        bigint  call.now        required
-- $9 url        text    call.url        required
-- $10 new_id    bigint  call.new_id     optional
with o as materialized (
  select p.id, case when $5::text is null and p.client_secret is not null then
      (select k from unnest('{vendor,issuer,authorization_endpoint,token_endpoint,userinfo_endpoint,profile_endpoint}'::text[]) k
       where p.settings ->> k is distinct from $6::jsonb ->> k limit 1) end as moved
  from identity_providers p
  where $1::bigint is not null and p.tenant_id = (select current_setting('app.current_tenant_id')::bigint) and p.id = $1::bigint and p.kind = $2::text
  for update
), u as (
  update identity_providers p set name = $3::text, client_id = $4::text, client_secret = coalesce($5::text, p.client_secret), settings = $6::jsonb,
    active = $7::bool, version = p.version + 1
  from o where p.tenant_id = (select current_setting('app.current_tenant_id')::bigint) and p.id = o.id and o.moved is null
  returning p
), n as (
  insert into identity_providers as p (tenant_id, id, kind, name, client_id, client_secret, settings, active, created_at)
  select (select current_setting('app.current_tenant_id')::bigint), $10::bigint, $2::text, $3::text, $4::text, $5::text, $6::jsonb, $7::bool, ts($8::bigint)
  where $1::bigint is null
    and (select count(*) from identity_providers p where p.tenant_id = (select current_setting('app.current_tenant_id')::bigint)) < 10
  returning p
), stored as (
  select u.p from u union all select n.p from n
), d as (
  insert into mail_domains (tenant_id, domain, created_at)
  select distinct (s.p).tenant_id, lower(x), ts($8::bigint) from stored s cross join lateral jsonb_array_elements_text((s.p).settings -> 'email_domains') x
  on conflict (tenant_id, domain) do nothing
)
select null as moved, (s.p).id, (s.p).version,
  case when (s.p).kind <> 'saml' then sso_address($9::text, 'callback', s.p) end as redirect_uri,
  case (s.p).kind when 'saml' then sso_address($9::text, 'acs', s.p) end as acs_uri,
  case (s.p).kind when 'saml' then sso_address($9::text, 'saml-metadata', s.p) end as metadata_uri,
  case (s.p).kind when 'oidc' then sso_address($9::text, 'backchannel', s.p) end as backchannel_logout_uri
from stored s
union all select o.moved, o.id, null, null, null, null, null from o where o.moved is not null
