-- cli/tenant_add: create a customer, if the provider has the policy.
-- mode: job   shape: rows   class: job
-- $1 code    text  call.code    required
-- $2 name    text  call.name    required
-- $3 lang    text  call.lang    required
-- $4 policy  text  call.policy  required
-- $5 now     time  call.now     required
with c as (
  insert into customers (code, name, lang, policy_code, created_at)
  select $1, $2, $3, $4, $5::timestamptz
  where exists (select from policies_for(1, $5::timestamptz) p where p.code = $4)
  returning tenant_id
)
insert into tenant_counters (tenant_id)
select c.tenant_id from c
returning tenant_id
