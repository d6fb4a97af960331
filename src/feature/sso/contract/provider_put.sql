-- sso/provider_put: create or change an identity provider; a secret that is left out is kept.
-- mode: write   shape: rows   class: point
-- $1 id         bigint  call.id         optional
-- $2 kind       text    call.kind       required
-- $3 name       text    call.name       required
-- $4 client_id  text    call.client_id  required
-- $5 secret     text    call.secret     optional
-- $6 settings   json    call.settings   required
-- $7 active     bool    call.active     required
-- $8 now        bigint  call.now        required
with u as (
  update identity_providers p set name = $3::text, client_id = $4::text, client_secret = coalesce($5::text, p.client_secret), settings = $6::jsonb,
    active = $7::bool, version = p.version + 1
  where $1::bigint is not null and p.tenant_id = (select current_setting('app.current_tenant_id')::bigint) and p.id = $1::bigint and p.kind = $2::text
  returning p.id, p.version
), n as (
  insert into identity_providers (tenant_id, kind, name, client_id, client_secret, settings, active, created_at)
  select (select current_setting('app.current_tenant_id')::bigint), $2::text, $3::text, $4::text, $5::text, $6::jsonb, $7::bool, ts($8::bigint)
  where $1::bigint is null
    and (select count(*) from identity_providers p where p.tenant_id = (select current_setting('app.current_tenant_id')::bigint)) < 10
  returning id, version
)
select id, version from u union all select id, version from n
