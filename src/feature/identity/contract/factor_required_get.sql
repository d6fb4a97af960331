-- factor/required_get: whether a customer's users must use two-step verification.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
select c.mfa_required from customers c where c.tenant_id = $1::bigint
