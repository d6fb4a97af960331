-- SPDX-License-Identifier: Apache-2.0
-- The signed anchors of the audit chains, as they are in the log and in the file of anchors. They are here so that every instance can complete
-- its file. Nothing is proved by this table: the owner of the schema can change it, but cannot sign.
create table audit_signed (
  tenant_id bigint not null references customers,
  chain_no bigint not null,
  line_no bigint not null check (line_no > 0), -- one sequence for all tenants
  line text not null check (length(line) <= 600),
  signed_at timestamptz not null,
  primary key (tenant_id, line_no)
);
create index audit_signed_line on audit_signed (line_no);
