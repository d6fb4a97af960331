-- SPDX-License-Identifier: Apache-2.0
-- The tickets of an export, as the session sees them: the estimate counts the rows that the file will hold.
create or replace function export_rows(p_statuses text[], p_priorities text[], p_service_types text[], p_from date, p_to date)
returns setof tickets language sql stable as $$
  select t.*
  from tickets t
  join customers c on c.tenant_id = t.tenant_id
  where t.tenant_id = (select current_setting('app.current_tenant_id')::bigint)
    and (p_statuses is null or t.status = any (p_statuses)) and (p_priorities is null or t.priority = any (p_priorities))
    and (p_service_types is null or t.service_type = any (p_service_types))
    and (p_from is null or t.opened_at >= p_from::timestamp at time zone c.zone)
    and (p_to is null or t.opened_at < (p_to + 1)::timestamp at time zone c.zone)
$$;
