-- cli/tenant_set: change what a customer's portal and numbers use; an empty parameter leaves its field as it is.
-- mode: job   shape: rows   class: job
-- $1 code         text  call.code         required
-- $2 host         text  call.host         required
-- $3 max_users    text  call.max_users    required
-- $4 mfa          text  call.mfa          required
-- $5 timezone     text  call.timezone     required
-- $6 work_hours   text  call.work_hours   required
-- $7 mail_factor  text  call.mail_factor  required
-- $8 policy       text  call.policy       required
-- $9 now          time  call.now          required
update customers c
set host = case when $2 = '' then c.host else nullif(lower($2), '-') end,
  max_users = case when $3 = '' then c.max_users else nullif($3, '-')::int end,
  mfa_required = case $4 when '' then c.mfa_required else $4::boolean end,
  mail_factor = case $7 when '' then c.mail_factor else $7::boolean end,
  timezone = case when $5 = '' then c.timezone else $5 end,
  work_from = case when $6 = '' then c.work_from else split_part($6, '-', 1)::smallint end,
  policy_code = case when $8 = '' then c.policy_code else $8 end,
  config_version = c.config_version + case when $8 = '' then 0 else 1 end,
  work_to = case when $6 = '' then c.work_to else split_part($6, '-', 2)::smallint end
where c.code = $1 and ($5 = '' or exists (select from pg_timezone_names z where z.name = $5))
  and ($8 = '' or exists (select from policies_for(c.tenant_id, $9::timestamptz) p where p.code = $8))
returning c.tenant_id, c.code, c.host, c.max_users, c.mfa_required, c.timezone, c.work_from || '-' || c.work_to, c.mail_factor, c.policy_code
