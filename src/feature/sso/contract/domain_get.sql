-- sso/domain_get: one mail domain.
-- mode: read   shape: rows   class: point
-- $1 id  bigint  call.id  required
select m.id, m.tenant_id, m.domain, '_sladesk.' || m.domain as record_name, m.token as record_value, m.verified_at is not null as verified, m.verified_by,
  m.verified_at, m.checked_at, m.last_error, m.created_at
from mail_domains m
where m.tenant_id = any ((select current_setting('app.current_tenants')::bigint[])::bigint[]) and m.id = $1::bigint
