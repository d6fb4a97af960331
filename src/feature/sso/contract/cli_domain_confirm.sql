-- cli/domain_confirm: the provider confirms, or withdraws, that a domain is a customer's.
-- mode: job   shape: rows   class: job
-- $1 tenant  text    call.tenant  required
-- $2 domain  text    call.domain  required
-- $3 yes     bool    call.yes     required
-- $4 now     text    call.now     required
insert into mail_domains as m (tenant_id, domain, created_at, verified_at, verified_by)
select c.tenant_id, lower($2::text), $4::text::timestamptz, case when $3::bool then $4::text::timestamptz end, case when $3::bool then 'provider' end
from customers c where c.code = $1::text
on conflict (tenant_id, domain) do update set verified_at = excluded.verified_at, verified_by = excluded.verified_by
returning m.domain, coalesce(m.verified_by, '-') as verified_by
