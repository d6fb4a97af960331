-- SPDX-License-Identifier: Apache-2.0
-- A second factor is another channel than the first. A code by mail proves nothing to whoever already came by mail (a mailed link, or a password
-- that a mailed link set), and a user with an app or a passkey has something better, unless the customer's administrator allows it.
create or replace function mail_may_prove(p_tenant bigint, p_kind text, p_actor bigint, p_method text) returns boolean language sql stable as $$
  select p_method <> 'link'
    and not coalesce((select s.password_by_mail from staff s where p_kind = 'staff' and s.tenant_id = p_tenant and s.id = p_actor),
      (select u.password_by_mail from client_users u where p_kind = 'customer' and u.tenant_id = p_tenant and u.id = p_actor), true)
    and (not exists (select from factors f where f.tenant_id = p_tenant and f.actor_kind = p_kind and f.actor_id = p_actor and f.confirmed_at is not null)
      or coalesce((select c.mail_factor from customers c where c.tenant_id = p_tenant), false))
$$;

-- With what a user can prove to be the owner of the account, apart from messages.
create or replace function proofs_of(p_tenant bigint, p_kind text, p_actor bigint)
returns table (password boolean, totp boolean, passkey boolean, recovery boolean) language sql stable as $$
  select exists (select from staff s where p_kind = 'staff' and s.tenant_id = p_tenant and s.id = p_actor and s.password_hash is not null)
      or exists (select from client_users u where p_kind = 'customer' and u.tenant_id = p_tenant and u.id = p_actor and u.password_hash is not null),
    exists (select from factors f where f.tenant_id = p_tenant and f.actor_kind = p_kind and f.actor_id = p_actor and f.kind = 'totp'
      and f.confirmed_at is not null),
    exists (select from factors f where f.tenant_id = p_tenant and f.actor_kind = p_kind and f.actor_id = p_actor and f.kind = 'passkey'),
    exists (select from recovery_codes c where c.tenant_id = p_tenant and c.actor_kind = p_kind and c.actor_id = p_actor and c.used_at is null)
$$;

-- The identity provider at which the user of a session can log in anew, by its own word (auth_time, AuthnInstant). Null: there is none.
create or replace function fresh_provider_of(p_tenant bigint, p_provider bigint) returns bigint language sql stable as $$
  select v.id from identity_providers v where v.tenant_id = p_tenant and v.id = p_provider and v.active and v.kind in ('oidc', 'saml')
$$;

-- May a code by mail prove the user of a session? Only for who came by an identity provider that cannot be asked for a new login (plain OAuth 2.0,
-- the vendors), and has neither password nor factor: the mailbox is another channel than that login, and there is no better proof.
create or replace function mail_may_step_up(p_tenant bigint, p_session bigint) returns boolean language sql stable as $$
  select exists (select from sessions s cross join lateral proofs_of(s.tenant_id, s.actor_kind, s.actor_id) p
    where s.tenant_id = p_tenant and s.id = p_session and s.method = 'sso' and fresh_provider_of(s.tenant_id, s.provider_id) is null
      and not (p.password or p.totp or p.passkey or p.recovery)
      and not exists (select from client_users u where s.actor_kind = 'customer' and u.tenant_id = s.tenant_id and u.id = s.actor_id
        and u.address_given_at is not null)) -- nobody has shown that this mailbox is the user's
$$;

-- Use up what works once: the time step of a factor, or a recovery code; null: none was given. Returns how many of each were used up now: 0 means
-- that it was used before, or is not the user's.
create or replace function use_up(p_tenant bigint, p_kind text, p_actor bigint, p_now bigint, p_factor bigint, p_counter bigint, p_code text)
returns table (factors bigint, codes bigint) language sql volatile as $$
  with f as (
    update factors t set counter = p_counter, last_used_at = ts(p_now)
    where t.tenant_id = p_tenant and t.id = p_factor and t.actor_kind = p_kind and t.actor_id = p_actor and t.counter < p_counter
    returning t.id
  ), r as (
    update recovery_codes c set used_at = ts(p_now)
    where c.tenant_id = p_tenant and c.actor_kind = p_kind and c.actor_id = p_actor and c.keyed and c.digest = p_code and c.used_at is null
    returning c.digest
  )
  select (select count(*) from f), (select count(*) from r)
$$;
