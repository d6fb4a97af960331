-- factor/required_get: whether a customer's users must use two-step verification, and whether a code by mail may be the second step.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
select c.mfa_required, c.mail_factor from customers c where c.tenant_id = $1::bigint
