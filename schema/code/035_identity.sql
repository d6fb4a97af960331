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
