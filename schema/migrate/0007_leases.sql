-- SPDX-License-Identifier: Apache-2.0
-- Who acts on which share of the deadlines. They belong to no tenant.
create table shard_leases (
  shard smallint primary key check (shard between 0 and 63),
  owner text,
  epoch bigint not null default 0,  -- how often it changed hands
  expires_at timestamptz not null
);
insert into shard_leases select n, null, 0, '-infinity' from generate_series(0, 63) n;
create table lease_owners (
  owner text primary key,
  expires_at timestamptz not null
);
