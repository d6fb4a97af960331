-- SPDX-License-Identifier: Apache-2.0
-- Encrypted columns. A value is bound to its place, table.column:tenant:row (include/crypto/field.h). sealed_row() says what identifies a row: the
-- id, or a key that the program makes itself, and whom the row belongs to, if that can be changed.
create or replace function sealed_row(r factors) returns text language sql immutable return
  r.actor_kind || '.' || r.actor_id::text || '.' || r.id::text;
create or replace function sealed_row(r client_users) returns text language sql immutable return r.id::text;
create or replace function sealed_row(r staff) returns text language sql immutable return r.id::text;
create or replace function sealed_row(r contacts) returns text language sql immutable return r.external_id;
create or replace function sealed_row(r sign_in_alerts) returns text language sql stable return
  r.actor_kind || '.' || r.actor_id::text || '.' || us(r.at)::text;
create or replace function sealed_row(r webhooks) returns text language sql immutable return r.id::text;
create or replace function sealed_row(r identity_providers) returns text language sql immutable return r.id::text;
create or replace function sealed_row(r sso_logins) returns text language sql immutable return r.state_sha256;

-- A value with the place where it was read, for the program to decrypt (src/db/cell.c): the only bytea that statements return.
create or replace function sealed_at(p_column text, p_tenant bigint, p_row text, p_value text) returns bytea language sql stable return
  convert_to('t' || p_column || ':' || p_tenant::text || ':' || p_row, 'UTF8') || decode('00', 'hex') || convert_to(p_value, 'UTF8');

-- The same for readers who may not see the full value: it is masked after decryption.
create or replace function masked_mail(p bytea) returns bytea language sql immutable return overlay(p placing decode('6d', 'hex') from 1 for 1);
create or replace function masked_phone(p bytea) returns bytea language sql immutable return overlay(p placing decode('70', 'hex') from 1 for 1);

-- The list of include/crypto/sealed.def, as far as its values can be encrypted anew; index: the column of the blind index.
create or replace function sealed_list() returns table (name text, tbl text, col text, index text) language sql immutable as $$
  values ('client_users.email', 'client_users', 'email', 'email_index'),
    ('client_users.phone', 'client_users', 'phone', null),
    ('staff.email', 'staff', 'email', 'email_index'),
    ('contacts.email', 'contacts', 'email', null),
    ('contacts.phone', 'contacts', 'phone', null),
    ('sign_in_alerts.address', 'sign_in_alerts', 'address', null),
    ('webhooks.secret', 'webhooks', 'secret', null),
    ('factors.secret', 'factors', 'secret', null),
    ('identity_providers.client_secret', 'identity_providers', 'client_secret', null),
    ('sso_logins.verifier', 'sso_logins', 'verifier', null)
$$;

-- Values of a column that are not like p_like, in the order in which they are stored, after a position.
create or replace function sealed_next(p_column text, p_like text, p_after text, p_limit int)
returns table (at text, place text, value text) language plpgsql stable as $$
declare
  s record;
begin
  for s in select l.tbl, l.col from sealed_list() l where l.name = p_column loop
    return query execute format('select t.ctid::text, %L || t.tenant_id::text || '':'' || sealed_row(t), t.%I from %I t
      where t.ctid > $1::tid and t.%2$I is not null and t.%2$I not like $2 order by t.ctid limit $3', p_column || ':', s.col, s.tbl)
      using p_after, p_like, p_limit;
  end loop;
end
$$;

-- Store values that have been encrypted anew: [{at, place, old, new, index}]. What has changed meanwhile stays. Returns how many were stored.
create or replace function sealed_put(p_column text, p_rows jsonb) returns bigint language plpgsql as $$
declare
  s record;
  n bigint := 0;
begin
  for s in select l.tbl, l.col, l.index from sealed_list() l where l.name = p_column loop
    execute format('update %I t set %I = x.new %s from jsonb_to_recordset($1) x(at tid, place text, old text, new text, index text)
      where t.ctid = x.at and t.%2$I = x.old and %4$L || t.tenant_id::text || '':'' || sealed_row(t) = x.place', s.tbl, s.col,
      case when s.index is null then '' else format(', %I = coalesce(x.index, t.%1$I)', s.index) end, p_column || ':') using p_rows;
    get diagnostics n = row_count;
  end loop;
  return n;
end
$$;

-- How many values of a column are not like p_like.
create or replace function sealed_count(p_column text, p_like text) returns bigint language plpgsql stable as $$
declare
  s record;
  n bigint := 0;
begin
  for s in select l.tbl, l.col from sealed_list() l where l.name = p_column loop
    execute format('select count(*) from %I t where t.%I is not null and t.%2$I not like $1', s.tbl, s.col) into n using p_like;
  end loop;
  return n;
end
$$;

-- Has any value been bound to its place? Then the change-over from an earlier version began long ago.
create or replace function sealed_begun() returns boolean language plpgsql stable as $$
declare
  s record;
  found boolean;
begin
  for s in select l.tbl, l.col from sealed_list() l loop
    execute format('select exists (select from %I t where t.%I like ''e2.%%'')', s.tbl, s.col) into found;
    if found then
      return true;
    end if;
  end loop;
  return false;
end
$$;
