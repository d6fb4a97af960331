-- client/workspace: everything that the portal needs when it opens: user, theme, permissions, dashboards, and whom to call.
-- zh: 工作区：门户打开时所需的身份、外观、权限、仪表板与联系人。
-- mode: read   shape: object   class: point
-- $1 user_id  bigint  session.customer  required
-- $2 now      bigint  session.now       required
-- returns user_id bigint, username text, full_name text, role_type text, lang text, tenant_id bigint, tenant_name text, tenant_code text,
-- returns timezone text, theme jsonb, permissions text[], preferences jsonb, dashboards jsonb, default_dashboard_id bigint, open_tickets bigint,
-- returns alerts bigint, hotline text, customer_success_manager text
select u.id as user_id, u.username, u.full_name, u.role_type, u.lang, c.tenant_id, c.name as tenant_name, c.code as tenant_code, c.zone as timezone,
  jsonb_build_object('name', coalesce(t.display_name, c.name), 'logo_url', logo_url_of(t), 'primary_color', t.primary_color, 'accent_color', t.accent_color,
    'support_contact', t.support_contact) as theme,
  permissions_of(u.tenant_id, 'customer', u.id, u.role_type, $2::bigint) as permissions, u.preferences,
  coalesce(d.list, '[]') as dashboards, d.usual as default_dashboard_id, k.open_tickets, k.alerts, h.hotline, h.customer_success_manager
from client_users u
join customers c on c.tenant_id = u.tenant_id
left join tenant_themes t on t.tenant_id = u.tenant_id
left join customer_details h on h.tenant_id = u.tenant_id
cross join lateral (
  select jsonb_agg(jsonb_build_object('config_id', x.id, 'dashboard_name', x.dashboard_name, 'mine', x.user_id = u.id, 'is_default', x.is_default)
      order by x.id) as list, max(x.id) filter (where x.is_default and x.user_id = u.id) as usual
  from dashboard_configs x where x.tenant_id = u.tenant_id and (x.user_id = u.id or x.is_shared)) d
cross join lateral (
  select count(*) as open_tickets, count(*) filter (where x.sla_high >= 80) as alerts from tickets x
  where x.tenant_id = u.tenant_id
    and x.status in ('new', 'accepted', 'in_progress', 'pending_customer', 'pending_aws', 'scheduled', 'mitigated', 'monitoring')) k
where u.tenant_id = any ((select current_setting('app.current_tenants')::bigint[])::bigint[]) and u.id = $1::bigint
  and (select current_setting('app.audience')) = 'customer'
limit 1
