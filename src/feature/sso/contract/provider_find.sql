-- sso/provider_find: the identity provider for a login: by id, by mail domain, or the customer's first one.
-- A number names no customer here, because anybody can count: only its code or "host:" and its host name do. A mail domain leads only to the customer that has proved it.
-- mode: job   shape: rows   class: job
-- $1 tenant    text    call.tenant    optional
-- $2 provider  bigint  call.provider  optional
-- $3 domain    text    call.domain    optional
select p.tenant_id, p.id, p.kind, p.name, p.client_id, p.settings, p.version, c.code
from identity_providers p join customers c on c.tenant_id = p.tenant_id
where p.active and c.status = 'active' and ($1::text is null or c.tenant_id = tenant_named($1::text) and $1::text !~ '^[0-9]+$')
  and ($2::bigint is null or p.id = $2::bigint) and ($3::text is null or p.settings -> 'email_domains' ? $3::text
    and exists (select from mail_domains m where m.tenant_id = p.tenant_id and m.domain = $3::text and m.verified_at is not null and not mail_domain_is_public(m.domain)))
  and ($1::text is not null or $3::text is not null)
order by p.tenant_id, p.id
limit 1
