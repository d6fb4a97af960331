-- SPDX-License-Identifier: Apache-2.0
-- How many rows one customer or user may have of what costs the others something: they are read at once, sorted in memory or never expire.
-- Arguments of the trigger: the most, the name of the rule (src/core/response.c), and a further column by which rows are counted.
create or replace function rows_most() returns trigger language plpgsql as $$
declare
  most bigint := tg_argv[0]::bigint;
  n bigint;
begin
  if current_user <> 'sladesk_app' then
    return null;
  end if;
  perform pg_advisory_xact_lock(7339, hashtext(tg_table_name || new.tenant_id));
  execute format('select count(*) from (select from %I x where x.tenant_id = ($1).tenant_id%s limit %s) r', tg_table_name,
    case when tg_nargs > 2 then format(' and x.%1$I = ($1).%1$I', tg_argv[2]) else '' end, most + 1) into n using new;
  if n > most then
    raise exception 'at most % rows', most using errcode = 'SD003', constraint = tg_argv[1];
  end if;
  return null;
end
$$;
create or replace trigger rows_most after insert on dashboard_configs for each row execute function rows_most('100', 'dashboards_most', 'user_id');
create or replace trigger rows_most after insert on mail_domains for each row execute function rows_most('100', 'mail_domains_most');
