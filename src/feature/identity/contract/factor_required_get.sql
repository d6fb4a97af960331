-- factor/required_get: must a customer's people have a second factor?
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
select c.mfa_required from customers c where c.tenant_id = $1::bigint
