-- sso/provider_remove: delete an identity provider and its links to users.
-- zh: 删除身份提供方及其与用户的关联。
-- mode: write   shape: object   class: point
-- $1 provider_id  bigint  path.provider_id  required range=1..9007199254740991
-- returns provider_id bigint
delete from identity_providers p
where p.tenant_id = (select current_setting('app.current_tenant_id')::bigint) and p.id = $1::bigint
returning p.id as provider_id
