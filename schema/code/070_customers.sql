-- SPDX-License-Identifier: Apache-2.0
-- Store customers with their contracts and contacts as the source system has them; tenant_id is what customer/ids says. The same data twice changes nothing. Contracts and contacts that
-- are not mentioned stay: the source system must report that they have ended.
create or replace function customers_take(p_docs jsonb, p_now bigint) returns table (n int, tenant_id bigint, created boolean, changed boolean, problem text)
language plpgsql as $$
declare
  d jsonb;
  i int := 0;
  t bigint;
  fresh boolean;
  moved boolean;
  k int;
begin
  perform pg_advisory_xact_lock(7336); -- two deliveries must not make the same customer
  for d in select x from jsonb_array_elements(p_docs) x loop
    fresh := false;
    select c.tenant_id into t from customer_details c where c.external_id = d ->> 'external_id';
    if t is null and d ? 'code' then -- a customer that was created here before is matched by its code
      select c.tenant_id into t from customers c left join customer_details x on x.tenant_id = c.tenant_id
      where c.code = d ->> 'code' and c.tenant_id > 1 and x.tenant_id is null;
    end if;
    if t is null then
      if not d ? 'code' or exists (select from customers c where c.code = d ->> 'code') then
        return query select i, null::bigint, false, false, case when d ? 'code' then 'taken' else 'missing' end;
        i := i + 1;
        continue;
      end if;
      insert into customers (tenant_id, code, name, lang, created_at)
      values ((d ->> 'tenant_id')::bigint, d ->> 'code', d ->> 'name', coalesce(d ->> 'lang', 'zh'), ts(p_now))
      returning customers.tenant_id into t;
      insert into tenant_counters (tenant_id) values (t);
      fresh := true;
    end if;
    if t <> (d ->> 'tenant_id')::bigint then -- the contacts were encrypted for another one
      raise exception 'customer % was created meanwhile', d ->> 'external_id' using errcode = '40001';
    end if;
    update customers c set name = d ->> 'name' where c.tenant_id = t and c.name is distinct from d ->> 'name';
    get diagnostics k = row_count;
    moved := k > 0;
    insert into customer_details as x (tenant_id, external_id, vip, customer_success_manager, hotline, synced_at)
    values (t, d ->> 'external_id', coalesce((d ->> 'vip')::boolean, false), d ->> 'customer_success_manager', d ->> 'hotline', ts(p_now))
    on conflict on constraint customer_details_pkey do update set external_id = excluded.external_id, vip = excluded.vip,
      customer_success_manager = excluded.customer_success_manager, hotline = excluded.hotline, synced_at = excluded.synced_at
    where (x.external_id, x.vip, x.customer_success_manager, x.hotline)
      is distinct from (excluded.external_id, excluded.vip, excluded.customer_success_manager, excluded.hotline);
    get diagnostics k = row_count;
    moved := moved or k > 0;
    insert into contracts as x (tenant_id, external_id, name, status, starts_on, ends_on, synced_at)
    select t, c.external_id, c.name, coalesce(c.status, 'active'), c.starts_on, c.ends_on, ts(p_now)
    from jsonb_to_recordset(coalesce(d -> 'contracts', '[]')) as c(external_id text, name text, status text, starts_on date, ends_on date)
    on conflict on constraint contracts_pkey do update set name = excluded.name, status = excluded.status, starts_on = excluded.starts_on,
      ends_on = excluded.ends_on, synced_at = excluded.synced_at
    where (x.name, x.status, x.starts_on, x.ends_on) is distinct from (excluded.name, excluded.status, excluded.starts_on, excluded.ends_on);
    get diagnostics k = row_count;
    moved := moved or k > 0;
    insert into catalogue (tenant_id, kind, code, name_zh, name_en) -- tickets may refer to them
    select t, 'contract', c.external_id, c.name, c.name
    from jsonb_to_recordset(coalesce(d -> 'contracts', '[]')) as c(external_id text, name text)
    on conflict on constraint catalogue_pkey do update set name_zh = excluded.name_zh, name_en = excluded.name_en;
    insert into contacts as x (tenant_id, external_id, name, title, email, email_index, phone, vip, synced_at)
    select t, c.external_id, c.name, c.title, c.email, c.email_index, c.phone, coalesce(c.vip, false), ts(p_now)
    from jsonb_to_recordset(coalesce(d -> 'contacts', '[]')) as c(external_id text, name text, title text, email text, email_index text, phone text,
      vip boolean)
    on conflict on constraint contacts_pkey do update set name = excluded.name, title = excluded.title, email = excluded.email, email_index = excluded.email_index,
      phone = excluded.phone, vip = excluded.vip, synced_at = excluded.synced_at;
    return query select i, t, fresh, fresh or moved, null::text;
    i := i + 1;
  end loop;
end
$$;

-- The policies that a customer can have: of its own or the provider's, in force, and not for a single service type. The customer's own come first.
create or replace function policies_for(p_tenant bigint, p_at timestamptz) returns table (code text, own boolean) language sql stable as $$
  select p.code, p.tenant_id = p_tenant from sla_configurations p
  where p.tenant_id in (p_tenant, 1) and p.service_type is null and p.effective_from <= p_at and (p.effective_to is null or p.effective_to > p_at)
$$;
