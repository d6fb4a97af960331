-- SPDX-License-Identifier: Apache-2.0
-- How far each consumer of events has come, and the version of what a ticket's creation is reckoned with.
create table consumer_positions (
  tenant_id bigint not null references customers,
  consumer text not null,
  seq bigint not null,
  primary key (tenant_id, consumer)
);
alter table customers add column config_version bigint not null default 1;
