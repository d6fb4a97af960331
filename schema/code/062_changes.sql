-- SPDX-License-Identifier: Apache-2.0
-- What a write changes, for its row of the audit log: each changed field with its value before and after. Triggers see every write, whatever
-- statement it comes from. A connection that wants to know sets app.changes:
--   told  each change is a message (INFO, SD900) to the client, which puts it into its row. The daemon does this.
--   kept  the changes of a transaction become a row of the operator when it commits. sladesk does this; app.operator is who runs it, app.at is its clock.
-- Otherwise (the importer's bulk load, psql, deadlines that fire) the triggers do nothing.

-- The fields of a document, by path; a list of plain values is one field.
create or replace function audit_leaves(p_path text, v jsonb) returns table (field text, value jsonb) language plpgsql immutable as $$
declare
  k text;
  x jsonb;
begin
  if jsonb_typeof(v) = 'object' and v <> '{}' then
    for k, x in select e.key, e.value from jsonb_each(v) e loop
      return query select l.* from audit_leaves(p_path || '.' || k, x) l;
    end loop;
  elsif jsonb_typeof(v) = 'array' and jsonb_path_exists(v, 'strict $[*] ? (@.type() == "object" || @.type() == "array")') then
    for k, x in select (e.n - 1)::text, e.v from jsonb_array_elements(v) with ordinality e(v, n) loop
      return query select l.* from audit_leaves(p_path || '[' || k || ']', x) l;
    end loop;
  else
    return query select p_path, v;
  end if;
end
$$;

-- A value as it is shown: a long one, or free text, by digest and length.
create or replace function audit_shown(v jsonb, p_text boolean) returns jsonb language plpgsql immutable as $$
begin
  return case
    when v is null or v = 'null' then 'null'::jsonb
    when jsonb_typeof(v) = 'string' and (p_text or length(v #>> '{}') > 200) or length(v::text) > 1000 then
      jsonb_build_object('sha256', encode(sha256(convert_to(v #>> '{}', 'UTF8')), 'hex'), 'length', length(v #>> '{}'))
    else v end;
end
$$;

-- These run for each changed row: plpgsql keeps their plans, which a function in SQL would make anew each time (measured: 2 ms for a new ticket).
drop function if exists audit_nested(text, jsonb, jsonb, boolean);
create or replace function audit_nested(p_field text, p_was jsonb, p_is jsonb, p_text boolean) returns setof jsonb language plpgsql stable as $$
begin
  return query
  select jsonb_build_object('field', field, 'before', audit_shown(w.value, p_text), 'after', audit_shown(i.value, p_text))
  from audit_leaves(p_field, p_was) w full join audit_leaves(p_field, p_is) i using (field)
  where w.value is distinct from i.value
  order by field;
end
$$;

-- The difference of two rows. Of SECRET columns, and of values that are encrypted or binary, it says only that they changed; of a new row, what
-- says nothing is left out. Null: nothing differs.
create or replace function audit_fields(p_before jsonb, p_after jsonb, p_skip text[], p_secret text[], p_text text[]) returns jsonb
language plpgsql stable as $$
begin
  return (
    select jsonb_agg(x.v)
    from (
      select key as field, nullif(b.value, 'null') as was, nullif(a.value, 'null') as is_now
      from jsonb_each(p_before) b full join jsonb_each(p_after) a using (key)
      where b.value is distinct from a.value and key <> all (p_skip)
        and not (coalesce(b.value, 'null') = 'null' and a.value in ('null', 'false', '[]', '{}'))
      order by 1
    ) d
    cross join lateral (
      select case when d.field = any (p_secret) or (coalesce(d.is_now, d.was) #>> '{}') ^@ any (array['e1.', 'e2.', chr(92) || 'x'])
        then jsonb_build_object('field', d.field, 'changed', true)
        else jsonb_build_object('field', d.field, 'before', case when d.was is null then 'null'::jsonb else audit_shown(d.was, d.field = any (p_text)) end,
          'after', case when d.is_now is null then 'null'::jsonb else audit_shown(d.is_now, d.field = any (p_text)) end) end as v
      where d.field = any (p_secret) or jsonb_typeof(coalesce(d.is_now, d.was)) not in ('object', 'array')
      union all
      select n from audit_nested(d.field, d.was, d.is_now, d.field = any (p_text)) n
      where d.field <> all (p_secret) and jsonb_typeof(coalesce(d.is_now, d.was)) in ('object', 'array')
    ) x
    where d.was is distinct from d.is_now);
end
$$;

-- The change of a row, as the audit log shows it: whose, which object, what was done, which fields. Null: none that counts. P_ARGS: the table; its
-- key besides tenant_id; the columns that do not count; the secret ones; the free texts; for rows that are versions of a document, its name.
create or replace function audit_change_of(p_args text[], p_op text, p_old jsonb, p_new jsonb) returns jsonb language plpgsql stable as $$
declare
  one jsonb := coalesce(p_new, p_old);
  keys text[] := string_to_array(p_args[1], ',');
  was jsonb := coalesce(p_old, '{}');
  name text;
  fields jsonb;
begin
  if p_args[5] <> '' and p_op = 'INSERT' then -- compare with the version before it
    execute format('select to_jsonb(t) from %I t where t.tenant_id = $1 and t.%I = $2 and t.version < $3 order by t.version desc limit 1',
      p_args[0], p_args[5]) into was using (one ->> 'tenant_id')::bigint, one ->> p_args[5], (one ->> 'version')::int;
    was := coalesce(was, '{}');
  end if;
  fields := audit_fields(was, coalesce(p_new, '{}'), keys || string_to_array(p_args[2], ',') || array['tenant_id', 'created_at', 'updated_at'],
    string_to_array(p_args[3], ','), string_to_array(p_args[4], ','));
  if fields is null and p_op = 'UPDATE' then
    return null;
  elsif fields is null then -- the key is all there is
    fields := jsonb_build_array(jsonb_build_object('field', 'tenant_id', 'before', p_old -> 'tenant_id', 'after', p_new -> 'tenant_id'));
  end if;
  select string_agg(one ->> k, '/' order by n) into name from unnest(keys) with ordinality x(k, n);
  return jsonb_build_object('tenant_id', (one ->> 'tenant_id')::bigint, 'object', p_args[0] || '/' || coalesce(name, one ->> 'tenant_id'),
    'action', lower(p_op), 'fields', fields);
end
$$;

create or replace function audit_tell() returns trigger language plpgsql as $$
declare
  change jsonb := audit_change_of(tg_argv, tg_op, case when tg_op <> 'INSERT' then to_jsonb(old) end, case when tg_op <> 'DELETE' then to_jsonb(new) end);
  made jsonb;
begin
  if change is null then
    return null;
  elsif current_setting('app.changes') = 'told' then
    raise info using message = change::text, errcode = 'SD900';
  else -- at most 50 are named, the others counted
    made := coalesce(nullif(current_setting('app.made', true), '')::jsonb, '[]');
    if jsonb_array_length(made) < 50 then
      perform set_config('app.made', (made || change)::text, true);
    else
      perform set_config('app.made_more', (coalesce(nullif(current_setting('app.made_more', true), '')::int, 0) + 1)::text, true);
    end if;
  end if;
  return null;
end
$$;

-- An operator's row in P_TENANT's log, with the changes of the transaction so far; changes of other tenants become rows of those.
create or replace function audit_operator(p_tenant bigint, p_operation text, p_resource text, p_more jsonb, p_at bigint) returns bigint
language plpgsql as $$
declare
  made jsonb := coalesce(nullif(current_setting('app.made', true), '')::jsonb, '[]');
  more int := nullif(current_setting('app.made_more', true), '')::int;
  whose text := coalesce(nullif(current_setting('app.operator', true), ''), session_user::text);
begin
  perform set_config('app.made', '', true), set_config('app.made_more', '', true);
  return audit_append((
    select jsonb_agg(jsonb_build_object('tenant_id', t.id, 'at', p_at, 'actor_kind', 'system', 'actor_id', 0, 'username', 'sladesk',
      'operation', p_operation, 'resource', coalesce(p_resource, t.objects, ''), 'result', 'success', 'status', 0, 'address', '', 'user_agent', '',
      'request_id', '', 'details', jsonb_strip_nulls(jsonb_build_object('operator', whose, 'command', nullif(current_setting('app.command', true), ''),
        'more', more)) || case when t.changes is null then '{}' else jsonb_build_object('changes', t.changes) end || coalesce(p_more, '{}')) order by t.id)
    from (
      select coalesce(m.tenant, p.tenant) as id, m.objects, m.changes
      from (select (c.v ->> 'tenant_id')::bigint as tenant, jsonb_agg(c.v order by c.n) as changes, left(string_agg(c.v ->> 'object', ' ' order by c.n), 200) as objects
        from jsonb_array_elements(made) with ordinality c(v, n) group by 1) m
      full join (select p_tenant as tenant where p_tenant is not null) p on p.tenant = m.tenant
    ) t));
end
$$;

-- A new ticket and a new text, the most frequent changes: what audit_fields() finds by comparing all columns is named here (measured: a quarter of
-- the time of creating a ticket). A text that can be redacted leaves no digest in a log that never changes: it would confirm a guess.
create or replace function audit_tell_ticket() returns trigger language plpgsql as $$
begin
  raise info using errcode = 'SD900', message = json_build_object('tenant_id', new.tenant_id, 'object', 'tickets/' || new.id, 'action', 'insert',
    'fields', json_build_array(
      json_build_object('field', 'title', 'before', null, 'after', audit_shown(to_jsonb(new.title), true)),
      json_build_object('field', 'priority', 'before', null, 'after', new.priority),
      json_build_object('field', 'service_type', 'before', null, 'after', new.service_type),
      json_build_object('field', 'source', 'before', null, 'after', new.source),
      json_build_object('field', 'requester_id', 'before', null, 'after', new.requester_id)))::text;
  return null;
end
$$;
create or replace function audit_tell_text() returns trigger language plpgsql as $$
begin
  raise info using errcode = 'SD900', message = json_build_object('tenant_id', new.tenant_id, 'object',
    'ticket_comments/' || new.ticket_id || '/' || new.id, 'action', 'insert', 'fields', json_build_array(
      json_build_object('field', 'kind', 'before', null, 'after', new.kind),
      json_build_object('field', 'audience', 'before', null, 'after', new.audience),
      json_build_object('field', 'body', 'before', null, 'after', json_build_object('length', length(new.body)))))::text;
  return null;
end
$$;

-- When a transaction of the operator commits: what it changed and no row names yet.
create or replace function audit_commit() returns trigger language plpgsql as $$
begin
  if coalesce(current_setting('app.made', true), '') <> '' then
    perform audit_operator(null, coalesce(nullif(current_setting('app.operation', true), ''), 'sladesk'), null, null,
      current_setting('app.at')::bigint);
  end if;
  return null;
end
$$;

-- Which tables, and what of them. A table that can be written is here, or in t/api/45-changes.test.js with the reason why it is not.
do $$
declare
  t record;
  args text;
  hears text;
begin
  for t in select * from (values
    -- table, writes, key, columns that do not count, secret columns, free texts, name of a versioned document; operator: does sladesk keep it?
    ('customers', 'insert or update or delete', '', 'config_version,zone', '', '', '', true),
    ('staff', 'insert or update or delete', 'id', 'password_changed_at,last_login_at', 'password_hash,email,email_index', '', '', true),
    ('staff_tenants', 'insert or update or delete', 'staff_id', '', '', '', '', true),
    ('client_users', 'insert or update or delete', 'id', 'password_changed_at,last_login_at,updated_at', 'password_hash,email,email_index,phone', '', '', true),
    ('client_permissions', 'insert or update or delete', 'user_id,id', 'created_by,created_by_kind', '', '', '', true),
    ('roles', 'insert or update or delete', 'kind,role', '', '', '', '', true),
    ('api_tokens', 'insert or update or delete', 'id', '', 'secret_sha256', '', '', true),
    ('sessions', 'update of revoked_at', 'id', 'refreshed_at,expires_at,proof_tries', 'address,device', '', '', false),
    ('factors', 'insert or delete or update of confirmed_at', 'actor_kind,actor_id,id', 'counter,last_used_at', 'secret,credential_id,public_key', '', '', true),
    ('recovery_codes', 'insert or delete', 'actor_kind,actor_id', 'keyed', 'digest', '', '', false),
    ('trusted_devices', 'insert or delete', 'actor_kind,actor_id,id', '', 'secret_sha256,device', '', '', false),
    ('identity_providers', 'insert or update or delete', 'id', '', 'client_secret', '', '', true),
    ('user_identities', 'insert or update or delete', 'provider_id,user_id', 'linked_at', 'subject', '', '', true),
    ('mail_domains', 'insert or update or delete', 'id', 'checked_at', 'token', '', '', true),
    ('report_logins', 'insert or update or delete', 'login', '', '', '', '', true),
    ('calendars', 'insert or update or delete', 'code', 'id,rebound_at,tzdata', '', '', 'code', true),
    ('sla_configurations', 'insert or update or delete', 'code', 'id', '', '', 'code', true),
    ('catalogue', 'insert or update or delete', 'kind,code', '', '', '', '', true),
    ('priority_keywords', 'insert or update or delete', 'keyword', '', '', '', '', true),
    ('notification_rules', 'insert or update or delete', 'event_type,event_key,recipient_group,channel', '', '', '', '', true),
    ('notification_templates', 'insert or update or delete', 'code,lang', 'shipped,shipped_subject,shipped_body', '', 'body', '', true),
    ('webhooks', 'insert or update or delete', 'id', '', 'secret', '', '', true),
    ('dashboard_configs', 'insert or update or delete', 'id', '', '', '', '', true),
    ('tenant_themes', 'insert or update or delete', '', '', '', '', '', true),
    ('exports', 'insert or delete or update of status', 'id', 'export_no,day,day_no,estimated,claim_until,done_at,expires_at,attempts,file_id', '', '', '', false),
    ('field_keys', 'insert or update or delete', 'id', '', 'wrapped', '', '', true),
    ('customer_details', 'insert or update or delete', '', 'synced_at', '', '', '', true),
    ('contracts', 'insert or update or delete', 'external_id', 'synced_at', '', '', '', true),
    ('contacts', 'insert or update or delete', 'external_id', 'synced_at', 'email,email_index,phone', '', '', true),
    ('import_batches', 'insert', 'source,batch', '', '', '', '', true),
    ('client_satisfaction', 'insert or update or delete', 'ticket_id,user_id,cycle', 'rated_at', '', '', '', false),
    ('tickets', 'update', 'id', 'row_version,version,last_at,urgent_at,urgent_clock,sla_high,last_stop_at', '', 'title', '', false),
    ('rca_tasks', 'update', 'ticket_id,cycle', '', '', '', '', false),
    ('ticket_comments', 'update', 'ticket_id,id', 'details', 'body', '', '', false)
  ) as x(name, writes, keys, skip, secret, texts, document, operator) loop
    args := format('%L, %L, %L, %L, %L, %L', t.name, t.keys, t.skip, t.secret, t.texts, t.document);
    hears := case when t.operator then 'current_setting(''app.changes'', true) in (''told'', ''kept'')' else 'current_setting(''app.changes'', true) = ''told''' end;
    execute format('drop trigger if exists audit_tell on %I', t.name);
    execute format('create trigger audit_tell after %s on %I for each row when (%s) execute function audit_tell(%s)', t.writes, t.name, hears, args);
    if t.operator then
      execute format('drop trigger if exists audit_commit on %I', t.name);
      execute format('create constraint trigger audit_commit after %s on %I deferrable initially deferred for each row '
        'when (current_setting(''app.changes'', true) = ''kept'') execute function audit_commit()', t.writes, t.name);
    end if;
  end loop;
end
$$;

drop trigger if exists audit_tell_new on tickets;
create trigger audit_tell_new after insert on tickets for each row when (current_setting('app.changes', true) = 'told')
  execute function audit_tell_ticket();
drop trigger if exists audit_tell_new on ticket_comments;
create trigger audit_tell_new after insert on ticket_comments for each row when (current_setting('app.changes', true) = 'told')
  execute function audit_tell_text();
