-- sso/domain_list: a customer's mail domains, with the DNS record that proves each.
-- zh: 邮箱域名列表，附用于证明归属的 DNS 记录。
-- mode: read   shape: list   class: point   cursor: tenant_id id
-- $1 tenant_id  bigint  query.tenant_id  optional range=1..9007199254740991
-- $2 limit      int     query.limit  default=200 range=1..200
-- $3 cursor_at  bigint  cursor.0     optional
-- $4 cursor_id  bigint  cursor.1     optional
-- returns id bigint, tenant_id bigint, domain text, record_name text, record_value text, verified boolean, verified_by text, verified_at timestamptz,
-- returns checked_at timestamptz, last_error text, created_at timestamptz
select m.id, m.tenant_id, m.domain, '_sladesk.' || m.domain as record_name, m.token as record_value, m.verified_at is not null as verified, m.verified_by,
  m.verified_at, m.checked_at, m.last_error, m.created_at
from mail_domains m
where m.tenant_id = any ((select current_setting('app.current_tenants')::bigint[])::bigint[]) and ($1::bigint is null or m.tenant_id = $1::bigint)
  and ($3::bigint is null or (m.tenant_id, m.id) > ($3::bigint, coalesce($4::bigint, 0)))
order by m.tenant_id, m.id
limit $2::int
