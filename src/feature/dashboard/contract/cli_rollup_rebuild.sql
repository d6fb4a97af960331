-- cli/rollup_rebuild: recount a tenant's numbers.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
select rollup_rebuild($1::bigint)
