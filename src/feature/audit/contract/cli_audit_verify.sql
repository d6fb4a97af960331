-- cli/audit_verify: each chain of the audit log, of all tenants or of one: its length, where it breaks, its end, and up to where it is in files.
-- mode: job   shape: rows   class: job
-- $1 code  text  call.code  required
select c.tenant_id, c.code,
  (select count(*) from audit_logs a where a.tenant_id = c.tenant_id),
  b.chain_no, b.why,
  (select encode(a.digest, 'hex') from audit_logs a where a.tenant_id = c.tenant_id order by a.chain_no desc limit 1),
  (select max(x.last_no) from audit_archives x where x.tenant_id = c.tenant_id)
from customers c
left join lateral audit_broken(c.tenant_id) b on true
where $1 in ('', c.code)
order by c.tenant_id
