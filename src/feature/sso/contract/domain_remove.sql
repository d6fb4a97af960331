-- sso/domain_remove: give up a mail domain; log-in discovery no longer leads its people here.
-- zh: 放弃邮箱域名；不再引导该域名的用户到本客户的登录服务。
-- mode: write   shape: object   class: point
-- $1 domain_id  bigint  path.domain_id  required range=1..9007199254740991
-- returns id bigint, domain text
delete from mail_domains m
where m.tenant_id = (select current_setting('app.current_tenant_id')::bigint) and m.id = $1::bigint
returning m.id, m.domain
