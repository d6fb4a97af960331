-- sso/domain_new: name a mail domain; the reply says which DNS record proves it. A domain that was named before is returned as it is.
-- zh: 登记邮箱域名；返回用于证明归属的 DNS 记录。已登记的域名原样返回。
-- mode: write   shape: object   class: point
-- $1 domain  text    body.domain  required like=domain example=customer.example
-- $2 now     bigint  session.now  required
-- returns id bigint, tenant_id bigint, domain text, record_name text, record_value text, verified boolean, verified_by text, verified_at timestamptz,
-- returns checked_at timestamptz, last_error text, created_at timestamptz
with n as (
  insert into mail_domains as m (tenant_id, domain, created_at)
  values ((select current_setting('app.current_tenant_id')::bigint), lower($1::text), ts($2::bigint))
  on conflict (tenant_id, domain) do update set domain = excluded.domain
  returning m.*
)
select m.id, m.tenant_id, m.domain, '_sladesk.' || m.domain as record_name, m.token as record_value, m.verified_at is not null as verified, m.verified_by,
  m.verified_at, m.checked_at, m.last_error, m.created_at
from n m
