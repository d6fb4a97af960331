-- audit/append: append rows to the audit log in order, each to its tenant's chain.
-- mode: job   shape: rows   class: job
-- $1 rows  json  call.rows  required
select audit_append($1::jsonb) as appended
