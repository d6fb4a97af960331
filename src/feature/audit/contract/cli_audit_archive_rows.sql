-- cli/audit_archive_rows: a page of rows of the audit log, as the lines of a file.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
-- $2 after   bigint  call.after   required
-- $3 last    bigint  call.last    required
select a.chain_no, encode(a.digest, 'hex') || ' ' || to_json(audit_values(a))::text
from audit_logs a
where a.tenant_id = $1::bigint and a.chain_no > $2::bigint and a.chain_no <= $3::bigint
order by a.chain_no
limit 5000
