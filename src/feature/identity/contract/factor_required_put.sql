-- factor/required_put: set whether a customer's users must use two-step verification; in force from their next request.
-- mode: job   shape: rows   class: job
-- $1 tenant    bigint  call.tenant    required
-- $2 required  bool    call.required  required
-- $3 mail      bool    call.mail      optional
update customers set mfa_required = $2::bool, mail_factor = coalesce($3::bool, mail_factor) where tenant_id = $1::bigint returning mfa_required, mail_factor
