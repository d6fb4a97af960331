-- cli/audit_anchor_list: the daily anchors of a tenant's chain.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
select a.chain_no, encode(a.digest, 'hex')
from audit_anchors a
where a.tenant_id = $1::bigint
order by a.chain_no
