-- audit/append: rows of the audit log, in their order, each to its tenant's chain.
-- mode: job   shape: rows   class: job
-- $1 rows  json  call.rows  required
select audit_append($1::jsonb) as appended
