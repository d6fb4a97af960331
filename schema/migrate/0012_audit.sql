-- SPDX-License-Identifier: Apache-2.0
-- Who did what, when, from where, with what result. Each row of a tenant carries the digest of the one before: what is edited, removed or put
-- elsewhere breaks the chain there. Nobody updates or deletes; not even the roles of the daemon may.
create table audit_logs (
  tenant_id bigint not null references customers,
  chain_no bigint not null,
  at timestamptz not null,
  actor_kind text not null,
  actor_id bigint not null,      -- 0: nobody who is known
  username text not null,
  operation text not null,
  resource text not null,
  result text not null check (result in ('success', 'refused', 'error')),
  status integer not null,
  address text not null,
  user_agent text not null,
  request_id text not null,
  details jsonb not null,
  digest bytea not null check (length(digest) = 32),
  primary key (tenant_id, chain_no)
);
create index audit_logs_at on audit_logs (tenant_id, at);
create index audit_logs_actor on audit_logs (tenant_id, actor_kind, actor_id, chain_no);
