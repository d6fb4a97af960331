-- SPDX-License-Identifier: Apache-2.0
-- What of the audit log lies in files: whole stretches of a tenant's chain from its beginning on, a month a file, each with the digest that
-- the chain goes on from. Only the owner of the schema moves rows out.
create table audit_archives (
  tenant_id bigint not null references customers,
  first_no bigint not null,
  last_no bigint not null check (last_no >= first_no),
  month date not null,
  last_at timestamptz not null,
  file text not null,
  file_sha256 text not null check (length(file_sha256) = 64),
  last_digest bytea not null check (length(last_digest) = 32),
  archived_at timestamptz not null,
  expired_at timestamptz, -- its time was over, the file is gone
  primary key (tenant_id, first_no)
);
