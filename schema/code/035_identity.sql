-- SPDX-License-Identifier: Apache-2.0
-- Record an event of an account and, with a template, the mail to its owner. The event belongs to no ticket and is not in the feed. The sessions
-- listed in data.sessions have ended: every instance forgets them and closes their feeds.
create or replace function account_event(p_tenant bigint, p_kind text, p_actor bigint, p_type text, p_template text, p_at bigint, p_data jsonb)
returns bigint language sql as $$
  with c as (
    update tenant_counters set seq = seq + 1 where tenant_id = p_tenant returning tenant_id, seq
  ), e as (
    insert into events (tenant_id, seq, type, ticket_id, actor_kind, actor_id, audience, at, data)
    select c.tenant_id, c.seq, p_type, null, p_kind, p_actor, 'staff', ts(p_at), p_data from c
  ), n as (
    insert into notifications (tenant_id, event_seq, ticket_id, recipient_kind, recipient_id, channel, template, next_attempt_at, created_at)
    select c.tenant_id, c.seq, null, p_kind, p_actor, 'mail', p_template, ts(p_at), ts(p_at) from c where p_template is not null
  )
  select c.seq from c
$$;

-- Something has ended an account's sessions (all but P_KEEP): end them and record it as account_event does. With P_PROOFS, what could prove the
-- account without its present password or factors ends too: trusted devices, mailed links, logins that wait for their second step.
create or replace function account_ends(p_tenant bigint, p_kind text, p_actor bigint, p_type text, p_template text, p_at bigint, p_data jsonb,
  p_why text, p_keep bigint, p_proofs boolean)
returns bigint language plpgsql as $$
declare
  ended jsonb;
begin
  with e as (
    update sessions x set revoked_at = ts(p_at), revoked_why = p_why
    where x.tenant_id = p_tenant and x.actor_kind = p_kind and x.actor_id = p_actor and x.revoked_at is null and x.id is distinct from p_keep
    returning x.id
  )
  select coalesce(jsonb_agg(e.id order by e.id), '[]') into ended from e;
  if p_proofs then
    delete from trusted_devices d where d.tenant_id = p_tenant and d.actor_kind = p_kind and d.actor_id = p_actor;
    update password_resets r set used_at = ts(p_at)
    where r.tenant_id = p_tenant and r.actor_kind = p_kind and r.actor_id = p_actor and r.used_at is null and r.purpose <> 'address';
    update login_steps l set done_at = ts(p_at)
    where l.tenant_id = p_tenant and l.actor_kind = p_kind and l.actor_id = p_actor and l.done_at is null;
  end if;
  return account_event(p_tenant, p_kind, p_actor, p_type, p_template, p_at, p_data || jsonb_build_object('sessions', ended));
end
$$;

-- An account that is disabled or removed, and every account of a customer that is suspended, keeps nothing that proves it: after it is enabled again, a
-- device must be trusted anew. The tables' own rule, so that it does not matter who does it and by which statement.
create or replace function door.proofs_end() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
declare
  kind text := tg_argv[0];
  actor bigint := case when tg_argv[1] <> '' then (to_jsonb(old) ->> tg_argv[1])::bigint end; -- null: all of the tenant
begin
  delete from trusted_devices d where d.tenant_id = old.tenant_id and d.actor_kind = kind and (actor is null or d.actor_id = actor);
  update password_resets r set used_at = r.asked_at -- ended; only an instant is missing here
  where r.tenant_id = old.tenant_id and r.actor_kind = kind and (actor is null or r.actor_id = actor) and r.used_at is null;
  update login_steps l set done_at = l.began_at
  where l.tenant_id = old.tenant_id and l.actor_kind = kind and (actor is null or l.actor_id = actor) and l.done_at is null;
  return null;
end
$$;
do $$
declare
  t record;
begin
  for t in select * from (values ('staff', 'staff', 'id'), ('client_users', 'customer', 'id')) as x(name, kind, key) loop
    execute format('create or replace trigger proofs_end after update of disabled_at on %I for each row '
      'when (old.disabled_at is null and new.disabled_at is not null) execute function door.proofs_end(%L, %L)', t.name, t.kind, t.key);
    execute format('create or replace trigger proofs_gone after delete on %I for each row execute function door.proofs_end(%L, %L)', t.name, t.kind, t.key);
  end loop;
end
$$;
create or replace trigger proofs_end after update of status on customers for each row
  when (old.status = 'active' and new.status <> 'active') execute function door.proofs_end('customer', '');

-- Replace a password: by the user (P_OLD: the hash that was checked; null if it has changed meanwhile, or the account may not act any more), by a
-- mailed link, or by the operator (P_OLD null: whatever it was). Everything that the old password began ends, and a lock is removed. The owner is
-- notified.
create or replace function account_password(p_tenant bigint, p_kind text, p_actor bigint, p_old text, p_new text, p_must_change boolean, p_at bigint,
  p_why text, p_keep bigint, p_data jsonb)
returns bigint language plpgsql as $$
declare
  old text;
  name text;
begin
  if p_old is not null and not exists (select from account_live(p_tenant, p_kind, p_actor)) then
    return null;
  end if;
  if p_kind = 'staff' then
    select s.password_hash, s.username into old, name from staff s where s.tenant_id = p_tenant and s.id = p_actor for update;
    update staff s set password_hash = p_new, must_change = p_must_change, password_changed_at = ts(p_at),
      password_by_mail = p_why = 'password reset'
    where s.tenant_id = p_tenant and s.id = p_actor and (p_old is null or s.password_hash = p_old);
  else
    select u.password_hash, u.username into old, name from client_users u where u.tenant_id = p_tenant and u.id = p_actor for update;
    update client_users u set password_hash = p_new, must_change = p_must_change, password_changed_at = ts(p_at),
      password_by_mail = p_why = 'password reset'
    where u.tenant_id = p_tenant and u.id = p_actor and (p_old is null or u.password_hash = p_old);
  end if;
  if not found then
    return null;
  end if;
  if old is not null then
    insert into password_history (tenant_id, actor_kind, actor_id, set_at, password_hash) values (p_tenant, p_kind, p_actor, ts(p_at), old);
  end if;
  delete from login_attempts a where a.tenant_id = p_tenant and a.username = name;
  update sessions x set proved_at = ts(p_at), proof_tries = 0 where x.tenant_id = p_tenant and x.id = p_keep;
  return account_ends(p_tenant, p_kind, p_actor, 'auth.password_changed', 'auth_password', p_at, p_data, p_why, p_keep, true);
end
$$;

-- May one more user of this customer log in? Counts the users whose session was begun or refreshed within P_WINDOW_S. Logins of a customer check
-- this one at a time: the rest of the transaction holds the lock.
create or replace function seat_is_free(p_tenant bigint, p_kind text, p_actor bigint, p_now bigint, p_window_s bigint, p_limit bigint)
returns boolean language plpgsql as $$
declare
  most bigint := coalesce((select c.max_users from customers c where c.tenant_id = p_tenant), p_limit);
begin
  if p_kind <> 'customer' or most = 0 then
    return true;
  end if;
  perform pg_advisory_xact_lock(7333, (p_tenant % 2147483647)::int);
  return (select count(distinct s.actor_id) < most from sessions s
    where s.tenant_id = p_tenant and s.actor_kind = 'customer' and s.actor_id <> p_actor and s.revoked_at is null and s.expires_at > ts(p_now)
      and coalesce(s.refreshed_at, s.created_at) > ts(p_now - p_window_s * 1000000));
end
$$;
