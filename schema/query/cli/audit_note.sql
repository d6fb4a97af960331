-- cli/audit_note: a row of the operator in a tenant's audit log, with what the transaction has changed so far.
-- mode: job   shape: rows   class: job
-- $1 tenant     bigint  call.tenant     required
-- $2 operation  text    call.operation  required
-- $3 resource   text    call.resource   required
-- $4 now        bigint  call.now        required
select audit_operator($1::bigint, $2::text, $3::text, null, $4::bigint) as rows
