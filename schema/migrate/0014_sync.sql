-- SPDX-License-Identifier: Apache-2.0
-- Tickets that are led elsewhere: each message of theirs once, none that is older than one that was applied.
create table sync_tickets (
  tenant_id bigint not null references customers,
  external_id text not null check (length(external_id) between 1 and 100),
  ticket_id bigint not null,
  last_at timestamptz not null, -- of the newest message applied
  primary key (tenant_id, external_id),
  foreign key (tenant_id, ticket_id) references tickets
);

create table sync_events (
  tenant_id bigint not null references customers,
  event_id text not null check (length(event_id) between 1 and 200),
  external_id text not null,
  result text not null check (result in ('applied', 'outdated')),
  token_id bigint not null, -- who brought it
  said_at timestamptz not null,
  received_at timestamptz not null,
  primary key (tenant_id, event_id)
);
create index sync_events_age on sync_events (received_at);

-- A rating given elsewhere has no user of ours, and may lie between two marks.
alter table client_satisfaction drop constraint client_satisfaction_tenant_id_user_id_fkey;
alter table client_satisfaction alter column score type numeric(3, 2);
alter table client_satisfaction add column real_user_id bigint generated always as (nullif(user_id, 0)) stored,
  add foreign key (tenant_id, real_user_id) references client_users;
