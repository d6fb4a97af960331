-- cli/audit_broken: where a tenant's chain breaks; no row: nowhere.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
select b.chain_no, b.why
from audit_broken($1::bigint) b
