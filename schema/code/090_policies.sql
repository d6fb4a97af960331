-- SPDX-License-Identifier: Apache-2.0
-- Row-level security forced on every table with a tenant, and the grants of each role. Applied after every migration.
do $$
declare
  t record;
  shared text[] := array['calendars', 'sla_configurations', 'catalogue', 'priority_keywords', 'notification_rules', 'notification_templates', 'roles'];
  p record;
begin
  for t in
    select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
  loop
    execute format('alter table %I enable row level security', t.relname);
    execute format('alter table %I force row level security', t.relname);
    for p in select policyname from pg_policies where schemaname = 'public' and tablename = t.relname loop
      execute format('drop policy %I on %I', p.policyname, t.relname);
    end loop;
    execute format('create policy tenant on %I to sladesk_app using '
      '(tenant_id = any ((select current_setting(''app.current_tenants'')::bigint[])::bigint[])) '
      'with check (tenant_id = (select current_setting(''app.current_tenant_id'')::bigint) '
      'and tenant_id = any ((select current_setting(''app.current_tenants'')::bigint[])::bigint[]))', t.relname); -- staff limited to some customers do not write tenant 1
    -- A login for reports sees the tenants that the administrator gave to the name with which it connected, whatever it sets.
    execute format('create policy report on %I for select to sladesk_report using (%s)', t.relname,
      case when t.relname = 'report_logins' then 'login = session_user'
        else 'tenant_id = any (array(select r.tenant_id from report_logins r where r.login = session_user))' end);
    if t.relname = any (shared) then
      execute format('create policy shared on %I for select to sladesk_app, sladesk_report using (tenant_id = 1)', t.relname);
    end if;
    if t.relname = 'staff' then -- staff who are limited to some customers see the colleagues who serve one of them
      execute 'create policy colleagues on staff for select to sladesk_app using ((select current_setting(''app.audience'')) = ''staff'' '
        'and (select current_setting(''app.current_tenants'')) <> ''{}'' '
        'and (serves_all or exists (select from staff_tenants x where x.staff_id = staff.id)))';
    end if;
    if t.relname in ('events', 'ticket_comments') then
      execute format('create policy audience on %I as restrictive for select to sladesk_app using '
        '(audience = ''customer'' or (select current_setting(''app.audience'')) = ''staff'')', t.relname);
      execute format('create policy report_audience on %I as restrictive for select to sladesk_report using (audience = ''customer'')', t.relname);
    end if;
    -- A user with a data scope sees only the corresponding part of everything that belongs to tickets, and the user's own tickets.
    if t.relname = 'tickets' then
      execute 'create policy scope on tickets as restrictive to sladesk_app using '
        '((select current_setting(''app.scope'')) = '''' or scope_ok((select current_setting(''app.scope'')), department, project) '
        'or (requester_kind = ''customer'' and requester_id = (select current_setting(''app.user_id'')::bigint)))';
    elsif t.relname = 'client_satisfaction' then
      execute 'create policy scope on client_satisfaction as restrictive for select to sladesk_app using '
        '((select current_setting(''app.scope'')) = '''' or scope_ok((select current_setting(''app.scope'')), nullif(department, ''''), nullif(project, '''')))';
    elsif t.relname in ('rollups', 'ticket_outcomes') then
      execute 'create policy scope on ' || t.relname || ' as restrictive for select to sladesk_app using '
        '((select current_setting(''app.scope'')) = '''' or scope_ok((select current_setting(''app.scope'')), department, project))';
    elsif t.relname in ('files', 'file_parts') then
      execute format('create policy scope on %1$I as restrictive for select to sladesk_app using '
        '((select current_setting(''app.scope'')) = '''' or exists (select from exports_seen e where e.tenant_id = %1$I.tenant_id and e.file_id = %1$I.%2$s))',
        t.relname, case t.relname when 'files' then 'id' else 'file_id' end);
    elsif t.relname in ('events', 'ticket_comments', 'sla_clocks', 'sla_fires', 'sla_breaches', 'sla_differences', 'rca_tasks', 'notifications') then
      execute format('create policy scope on %I as restrictive for select to sladesk_app using '
        '((select current_setting(''app.scope'')) = '''' or exists (select from tickets t where t.tenant_id = %1$I.tenant_id and t.id = %1$I.ticket_id))', t.relname);
    end if;
    execute format('create policy job on %I to sladesk_job, %I using (true) with check (true)', t.relname, current_user);
  end loop;
end
$$;

grant usage on schema public, door, client to sladesk_app, sladesk_job, sladesk_report;
grant select on all tables in schema client to sladesk_app, sladesk_job, sladesk_report; -- the tables below decide what each may read
revoke all on all functions in schema door from public;
grant execute on all functions in schema door to sladesk_app, sladesk_job;
revoke execute on function door.partitions from sladesk_app;
revoke execute on function door.redact from sladesk_job;
grant select on all tables in schema public to sladesk_app, sladesk_job, sladesk_report;
revoke select on schema_version from sladesk_report;
revoke select on contacts, sync_rejects from sladesk_report;
grant insert, update, delete on customer_details, contracts, contacts, sync_rejects to sladesk_job;
revoke all on sign_in_places from sladesk_app, sladesk_report;
revoke select on sign_in_alerts from sladesk_report;
grant insert, update, delete on sign_in_places, sign_in_alerts to sladesk_job;
revoke all on sso_logins, user_identities from sladesk_app, sladesk_report;
grant insert, update, delete on sso_logins, user_identities, identity_providers to sladesk_job;
grant insert, update, delete on identity_providers, mail_domains to sladesk_app;
grant insert, update, delete on mail_domains to sladesk_job;
revoke select on identity_providers from sladesk_report;
revoke all on factors, recovery_codes, login_steps, trusted_devices, used_challenges from sladesk_app, sladesk_report;
grant insert, update, delete on factors, recovery_codes, login_steps, trusted_devices, used_challenges to sladesk_job;
revoke all on field_keys, sealed_columns from sladesk_app, sladesk_report;
grant insert, update on field_keys to sladesk_job;
grant insert, update on demo to sladesk_job;
grant update on notification_templates to sladesk_job;
grant insert, update, delete on sealed_columns to sladesk_job;
grant insert on audit_anchors, audit_signed to sladesk_job;
revoke all on audit_signed from sladesk_app, sladesk_report;
revoke all on audit_archives from sladesk_app, sladesk_report;
revoke all on report_logins from sladesk_app;
grant insert, delete on report_logins to sladesk_job;
revoke select on shard_leases, lease_owners, job_claims from sladesk_app, sladesk_report;
grant insert, update, delete on shard_leases, lease_owners, job_claims to sladesk_job;
grant insert, update, delete on client_permissions, dashboard_configs to sladesk_app, sladesk_job;
grant insert, update on client_satisfaction, tenant_themes, sync_tickets to sladesk_app;
grant insert on sync_events to sladesk_app;
grant insert, update, delete on sync_tickets, sync_events to sladesk_job;
grant insert, update, delete on client_satisfaction, tenant_themes to sladesk_job;
grant insert, update, delete on roles to sladesk_job;
grant insert, delete on staff_tenants to sladesk_job;
grant insert, update, delete on sla_breaches to sladesk_app, sladesk_job;
grant insert, update on rca_tasks to sladesk_app, sladesk_job;
grant insert, update on tickets, sla_clocks, timers, tenant_counters, notifications, catalogue, webhooks, sessions, api_tokens, client_users
  to sladesk_app;
grant insert on ticket_comments, events, sla_fires, idempotency_keys, exports to sladesk_app;
grant insert, update, delete on exports, files, file_parts to sladesk_job;
revoke select on exports, exports_seen, files, file_parts from sladesk_report;
revoke update (body, details) on ticket_comments from sladesk_app; -- door.redact
grant update (periods) on sla_fires to sladesk_app, sladesk_job;
revoke select on staff, client_users, client_permissions, api_tokens, webhooks, sessions from sladesk_report;
grant insert, update, delete on tickets, sla_clocks, timers, tenant_counters, notifications, sessions, idempotency_keys, consumer_positions,
  import_batches, client_users, staff, customers, api_tokens, catalogue, webhooks, sla_configurations, calendars to sladesk_job;
grant insert on ticket_comments, events, sla_fires, deliveries, password_history, audit_logs to sladesk_job;
grant insert, update, delete on refresh_tokens, login_attempts, known_networks, password_resets to sladesk_job;
grant insert, update, delete on rollups, ticket_outcomes, rollup_checks, source_checks, source_runs to sladesk_job;
grant insert, update, delete on sla_checks, sla_differences to sladesk_job;
revoke select on sla_checks, sla_differences from sladesk_report;
revoke select on rollups_now from sladesk_app, sladesk_report;
revoke select on audit_logs from sladesk_report;
revoke select on ticket_outcomes from sladesk_report;
revoke select on refresh_tokens, login_attempts, known_networks, password_history, password_resets from sladesk_app, sladesk_report;
grant usage on all sequences in schema public to sladesk_job;
