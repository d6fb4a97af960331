-- user/new: create a user of a customer; the first password must be changed, and the user gets a mail.
-- mode: write   shape: rows   class: point
-- $1 doc   json    call.doc   required
-- $2 hash  text    call.hash  required
-- $3 now   bigint  call.now   required
-- $4 by    text    call.by    required
-- $5 home  text    call.home  required
-- $6 giver text    call.giver required
with u as (
  insert into client_users (tenant_id, username, full_name, email, email_index, phone, lang, role_type, department, project, contract, cost_centre, region, office,
    password_hash, must_change, created_at)
  select (select current_setting('app.current_tenant_id')::bigint), d.username, d.full_name, d.email, d.email_index, d.phone, coalesce(d.lang, 'zh'),
    coalesce(d.role_type, 'user'), d.department, d.project, d.contract, d.cost_centre, d.region, d.office, $2::text, true, ts($3::bigint)
  from (select set_config('app.giver', $6::text, true)) g, jsonb_to_record($1::jsonb) as d(username text, full_name text, email text, email_index text, phone text, lang text, role_type text, department text,
    project text, contract text, cost_centre text, region text, office text)
  returning tenant_id, id, username
)
select u.id, account_event(u.tenant_id, 'customer', u.id, 'auth.user_invited', 'auth_invited', $3::bigint,
  jsonb_build_object('by', $4::text, 'username', u.username, 'home', $5::text)) as told
from u
