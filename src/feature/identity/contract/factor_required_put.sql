-- factor/required_put: whether a customer's people must have a second factor; from their next request on.
-- mode: job   shape: rows   class: job
-- $1 tenant    bigint  call.tenant    required
-- $2 required  bool    call.required  required
update customers set mfa_required = $2::bool where tenant_id = $1::bigint returning mfa_required
