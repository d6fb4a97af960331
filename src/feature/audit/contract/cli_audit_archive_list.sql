-- cli/audit_archive_list: the files of a tenant's audit log.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
select a.first_no, a.last_no, a.file, a.file_sha256, encode(a.last_digest, 'hex'), a.expired_at is not null,
  (select encode(p.last_digest, 'hex') from audit_archives p where p.tenant_id = a.tenant_id and p.last_no = a.first_no - 1)
from audit_archives a
where a.tenant_id = $1::bigint
order by a.first_no
