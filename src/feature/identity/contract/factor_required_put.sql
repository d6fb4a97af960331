-- factor/required_put: set whether a customer's users must use two-step verification; in force from their next request.
-- mode: job   shape: rows   class: job
-- $1 tenant    bigint  call.tenant    required
-- $2 required  bool    call.required  required
update customers set mfa_required = $2::bool where tenant_id = $1::bigint returning mfa_required
