-- cli/sso_list: the identity providers, with the address to register at each.
-- mode: job   shape: rows   class: job
-- $1 tenant  text  call.tenant  required
-- $2 url     text  call.url     required
select c.code, p.id, p.kind, p.name, case when p.active then 'active' else 'off' end,
  sso_address($2::text, case p.kind when 'saml' then 'acs' else 'callback' end, p)
from identity_providers p join customers c on c.tenant_id = p.tenant_id
where $1::text in ('', c.code)
order by c.code, p.id
