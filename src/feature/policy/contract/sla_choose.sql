-- sla/choose: a customer's policy: for the tickets created from now on, of the service types that have no policy of their own. No row: the customer has no such policy in force.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
-- $2 code    text    call.code    required
-- $3 now     bigint  call.now     required
update customers c set policy_code = $2::text, config_version = c.config_version + 1
where c.tenant_id = $1::bigint and c.tenant_id > 1 and exists (select from policies_for(c.tenant_id, ts($3::bigint)) p where p.code = $2::text)
returning c.tenant_id, c.policy_code
