-- SPDX-License-Identifier: Apache-2.0
-- The tables of the product document (REQ-007, 3.2) under its names and with all its columns, for reports and tools that were written for it. They
-- are views: their rows are those of the tables below, under the reader's own row-level security and rights. Encrypted values are as statements
-- of the program read them.
create schema if not exists client;

-- Targets in minutes by priority: {"P1": {"response_time": 30, "resolution_time": 240, "update_every": 30}}.
create or replace function sla_minutes(p_doc jsonb) returns jsonb language sql immutable return
  (select jsonb_object_agg(b.key, jsonb_strip_nulls(jsonb_build_object(
    'response_time', trim_scale(round((b.value ->> 'response_s')::numeric / 60, 4)),
    'resolution_time', trim_scale(round((b.value ->> 'resolution_s')::numeric / 60, 4)),
    'update_every', trim_scale(round((b.value ->> 'update_s')::numeric / 60, 4)))))
   from jsonb_each(p_doc -> 'priorities') b);

-- When a level is raised and whom a ladder calls: the thresholds, those that escalate (src/sla/policy.c has the same default), and the steps.
create or replace function sla_escalation(p_doc jsonb) returns jsonb language sql immutable return
  jsonb_strip_nulls(jsonb_build_object('thresholds', p_doc -> 'thresholds',
    'escalate_at', coalesce(p_doc -> 'escalate_at', case when p_doc -> 'thresholds' ? '90' then '["90"]'::jsonb else '[]'::jsonb end),
    'ladder_s', (select jsonb_object_agg(b.key, b.value -> 'ladder_s') from jsonb_each(p_doc -> 'priorities') b where b.value ? 'ladder_s'),
    'ladder', p_doc -> 'ladder'));

-- Is a version of a policy the one that new tickets get at an instant? Later versions of the same policy replace it.
create or replace function sla_in_force(p sla_configurations, p_at timestamptz) returns boolean language sql stable return
  p.effective_from <= p_at and (p.effective_to is null or p.effective_to > p_at) and not exists (
    select from sla_configurations q where q.tenant_id = p.tenant_id and q.code = p.code and q.version > p.version
      and q.effective_from <= p_at and (q.effective_to is null or q.effective_to > p_at));

create or replace view client.client_users with (security_invoker = true) as
select u.id as user_id, u.tenant_id, u.username, sealed_at('client_users.email', u.tenant_id, sealed_row(u), u.email) as email, u.full_name,
  u.department, u.role_type, sealed_at('client_users.phone', u.tenant_id, sealed_row(u), u.phone) as phone, u.preferences, u.last_login_at,
  u.disabled_at is null as is_active, u.created_at, greatest(u.created_at, u.updated_at, u.last_login_at, u.password_changed_at) as updated_at
from client_users u;

create or replace view client.client_permissions with (security_invoker = true) as
select p.id as permission_id, p.user_id, p.tenant_id, p.resource_type, p.permissions, p.data_scope, p.valid_from, p.valid_to, p.created_by,
  p.created_at
from client_permissions p;

-- A row is a version of a policy, which never changes: it is in force from effective_from until effective_to, at the latest until a later version
-- is. is_active: is there such a time? service_type all: those that have no policy of their own; created_by and created_at null: it came with the
-- installation; notification_config null: the provider's rules.
create or replace view client.sla_configurations with (security_invoker = true) as
select p.id as sla_id, p.tenant_id, coalesce(p.service_type, 'all') as service_type, coalesce(p.service_name, p.code) as service_name,
  sla_minutes(p.doc) as sla_targets, sla_escalation(p.doc) as escalation_rules, p.doc -> 'notifications' as notification_config,
  coalesce(p.effective_from < least(p.effective_to, n.at), true) as is_active, p.effective_from, least(p.effective_to, n.at) as effective_to,
  p.created_by, p.created_at, p.created_at as updated_at, p.code, p.version
from sla_configurations p
left join lateral (
  select min(q.effective_from) as at from sla_configurations q
  where q.tenant_id = p.tenant_id and q.code = p.code and q.version > p.version) n on true;

-- What the widgets of a dashboard show: [{"id", "type", "config"}]; their places are in its layout.
create or replace function widget_configs(p_layout jsonb) returns jsonb language sql immutable return
  coalesce((select jsonb_agg(jsonb_build_object('id', w.v -> 'id', 'type', w.v -> 'type', 'config', coalesce(w.v -> 'config', '{}')) order by w.n)
    from jsonb_array_elements(p_layout -> 'widgets') with ordinality w(v, n)), '[]');

create or replace view client.dashboard_configs with (security_invoker = true) as
select d.id as config_id, d.user_id, d.tenant_id, d.dashboard_name, d.layout_config,
  widget_configs(d.layout_config) as widget_configs, d.is_default, d.is_shared, d.created_at, d.updated_at
from dashboard_configs d;
