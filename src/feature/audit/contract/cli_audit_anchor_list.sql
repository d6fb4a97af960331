-- cli/audit_anchor_list: the daily anchors of a tenant's chain, and those that the caller has from elsewhere.
-- mode: job   shape: rows   class: job
-- $1 tenant   bigint    call.tenant   required
-- $2 known    json      call.known    required
select a.chain_no, encode(a.digest, 'hex')
from audit_anchors a
where a.tenant_id = $1::bigint
union all
select x.no, x.digest from jsonb_to_recordset($2::jsonb) x(no bigint, digest text)
order by 1
