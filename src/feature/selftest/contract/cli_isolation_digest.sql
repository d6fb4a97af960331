-- cli/isolation_digest: a digest over all rows of a customer that a request might change.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
select md5(string_agg(d.name || d.digest, ',' order by d.name))
from (
  select r.name, md5(string_agg(r.row, '|' order by r.row)) as digest
  from (
    select 'tickets' as name, x::text as row from tickets x where x.tenant_id = $1::bigint
    union all select 'ticket_comments' as name, x::text as row from ticket_comments x where x.tenant_id = $1::bigint
    union all select 'sla_clocks' as name, x::text as row from sla_clocks x where x.tenant_id = $1::bigint
    union all select 'timers' as name, x::text as row from timers x where x.tenant_id = $1::bigint
    union all select 'webhooks' as name, x::text as row from webhooks x where x.tenant_id = $1::bigint
    union all select 'catalogue' as name, x::text as row from catalogue x where x.tenant_id = $1::bigint
    union all select 'client_users' as name, x::text as row from client_users x where x.tenant_id = $1::bigint
    union all select 'client_permissions' as name, x::text as row from client_permissions x where x.tenant_id = $1::bigint
    union all select 'calendars' as name, x::text as row from calendars x where x.tenant_id = $1::bigint
    union all select 'sla_configurations' as name, x::text as row from sla_configurations x where x.tenant_id = $1::bigint
    union all select 'api_tokens' as name, x::text as row from api_tokens x where x.tenant_id = $1::bigint
    union all select 'dashboard_configs' as name, x::text as row from dashboard_configs x where x.tenant_id = $1::bigint
    union all select 'tenant_themes' as name, x::text as row from tenant_themes x where x.tenant_id = $1::bigint
    union all select 'client_satisfaction' as name, x::text as row from client_satisfaction x where x.tenant_id = $1::bigint
    union all select 'factors' as name, x::text as row from factors x where x.tenant_id = $1::bigint
    union all select 'recovery_codes' as name, x::text as row from recovery_codes x where x.tenant_id = $1::bigint
    union all select 'identity_providers' as name, x::text as row from identity_providers x where x.tenant_id = $1::bigint) r
  group by r.name) d
