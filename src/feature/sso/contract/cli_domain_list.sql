-- cli/domain_list: the mail domains of all customers, or of one.
-- mode: job   shape: rows   class: job
-- $1 tenant  text  call.tenant  required
select c.code, m.domain, coalesce(m.verified_by, '-') as verified_by, m.token
from mail_domains m join customers c on c.tenant_id = m.tenant_id
where $1::text = '' or c.code = $1::text
order by m.domain, c.code
