-- cli/tenant_status: suspend a customer, or end its suspension.
-- mode: job   shape: rows   class: job
-- $1 code    text    call.code    required
-- $2 status  text    call.status  required
-- $3 now     bigint  call.now     required
-- $4 by      text    call.by      required
select x.id from operator_tenant_status($1::text, $2::text, $3::bigint, $4::text) x(id)
where x.id is not null
