-- SPDX-License-Identifier: Apache-2.0
-- A row in the form that its digest and its archive use.
create or replace function audit_values(r audit_logs) returns text[] language sql immutable as $$
  select array[r.tenant_id::text, r.chain_no::text, (extract(epoch from r.at) * 1000000)::bigint::text, r.actor_kind, r.actor_id::text, r.username,
    r.operation, r.resource, r.result, r.status::text, r.address, r.user_agent, r.request_id, r.details::text]
$$;

-- What a row's digest covers after the previous digest: every column with its length, so that nothing can move from one column to another.
create or replace function audit_digest(p_before bytea, r audit_logs) returns bytea language sql immutable as $$
  select sha256(p_before || convert_to(string_agg(length(v) || ':' || v, ',' order by n), 'UTF8'))
  from unnest(audit_values(r)) with ordinality as x(v, n)
$$;

-- Append rows in order, each to its tenant's chain; concurrent calls for a tenant run one after the other.
create or replace function audit_append(p_rows jsonb) returns bigint language plpgsql as $$
declare
  t bigint;
  r audit_logs;
  before bytea;
  last bigint;
  n bigint := 0;
begin
  for t in select distinct (x ->> 'tenant_id')::bigint from jsonb_array_elements(p_rows) x order by 1 loop
    perform pg_advisory_xact_lock(7332, (t % 2147483647)::int);
    last := 0;
    before := '';
    select a.chain_no, a.digest into last, before from audit_logs a where a.tenant_id = t order by a.chain_no desc limit 1;
    last := coalesce(last, 0);
    before := coalesce(before, ''::bytea);
    for r in select d.tenant_id, 0, ts(d.at), d.actor_kind, d.actor_id, d.username, d.operation, d.resource, d.result, d.status, d.address, d.user_agent,
        d.request_id, d.details, ''::bytea, (ts(d.at) at time zone 'UTC')::date, 0
      from jsonb_array_elements(p_rows) with ordinality x(e, n),
        jsonb_to_record(x.e) as d(tenant_id bigint, at bigint, actor_kind text, actor_id bigint, username text, operation text, resource text, result text,
          status int, address text, user_agent text, request_id text, details jsonb)
      where d.tenant_id = t order by x.n loop
      last := last + 1;
      r.chain_no := last;
      r.digest := audit_digest(before, r);
      before := r.digest;
      r.day_no := 1 + coalesce((select max(a.day_no) from audit_logs a where a.tenant_id = t and a.day = r.day), 0);
      insert into audit_logs select r.*;
      n := n + 1;
    end loop;
  end loop;
  return n;
end
$$;

-- Store the last digest of each chain, once a day. Returns the chains and their digests if this call was the first to do it.
create or replace function audit_anchor(p_now bigint) returns table (tenant_id bigint, code text, chain_no bigint, digest text) language sql as $$
  with fresh as (
    insert into audit_anchors (tenant_id, day, chain_no, digest, anchored_at)
    select c.tenant_id, (ts(p_now) at time zone 'UTC')::date, l.chain_no, l.digest, ts(p_now)
    from customers c
    cross join lateral (select a.chain_no, a.digest from audit_logs a where a.tenant_id = c.tenant_id order by a.chain_no desc limit 1) l
    on conflict (tenant_id, day) do nothing
    returning tenant_id, chain_no, digest
  )
  select f.tenant_id, c.code, f.chain_no, encode(f.digest, 'hex') from fresh f join customers c on c.tenant_id = f.tenant_id order by f.tenant_id
$$;

-- Store signed anchors if the last one is still the one that the caller saw. Returns the number of lines stored.
create or replace function audit_sign(p_seen bigint, p_rows jsonb) returns bigint language plpgsql as $$
declare
  n bigint;
begin
  perform pg_advisory_xact_lock(7336);
  if coalesce((select max(s.line_no) from audit_signed s), 0) <> p_seen then
    return 0;
  end if;
  insert into audit_signed (tenant_id, chain_no, line_no, line, signed_at)
  select d.tenant_id, d.chain_no, d.line_no, d.line, ts(d.at)
  from jsonb_to_recordset(p_rows) as d(tenant_id bigint, chain_no bigint, line_no bigint, line text, at bigint);
  get diagnostics n = row_count;
  return n;
end
$$;

-- The first row at which a tenant's chain fails verification, beginning after its files; none: the chain is valid.
create or replace function audit_broken(p_tenant bigint) returns table (chain_no bigint, why text) language plpgsql stable as $$
declare
  r audit_logs;
  before bytea := '';
  expected bigint := 1;
  archived bigint := 0;
  lost record;
begin
  select x.last_no, x.last_no + 1, x.last_digest into archived, expected, before from audit_archives x where x.tenant_id = p_tenant
    order by x.last_no desc limit 1;
  archived := coalesce(archived, 0);
  expected := coalesce(expected, 1);
  before := coalesce(before, ''::bytea);
  for r in select * from audit_logs a where a.tenant_id = p_tenant order by a.chain_no loop
    if r.chain_no <> expected then
      return query select expected, 'a row is missing';
      return;
    end if;
    if r.digest <> audit_digest(before, r) then
      return query select r.chain_no, 'the row was changed, or put in another''s place';
      return;
    end if;
    before := r.digest;
    expected := expected + 1;
  end loop;
  -- A chain that was cut off or rewritten is valid in itself; the anchors know its earlier digests.
  select x.chain_no, x.day into lost from audit_anchors x
  left join audit_logs a on a.tenant_id = x.tenant_id and a.chain_no = x.chain_no
  where x.tenant_id = p_tenant and x.chain_no > archived and a.digest is distinct from x.digest
  order by x.chain_no limit 1;
  if found then
    return query select lost.chain_no, 'not the row that was anchored on ' || lost.day;
  end if;
end
$$;

-- The rows of a tenant that the filters select; before: only those with a smaller chain_no. The planner expands it, so the caller's order and
-- limit use the index.
create or replace function audit_matching(p_tenant bigint, p_before bigint, p_username text, p_operation text, p_result text, p_from timestamptz,
  p_to timestamptz) returns setof audit_logs language sql stable as $$
  select a.*
  from audit_logs a
  where a.tenant_id = p_tenant
    and (p_before is null or a.chain_no < p_before)
    and (p_username is null or a.username = p_username)
    and (p_operation is null or a.operation = p_operation)
    and (p_result is null or a.result = p_result)
    and (p_from is null or a.at >= p_from)
    and (p_to is null or a.at < p_to)
$$;
