-- SPDX-License-Identifier: Apache-2.0
-- What dashboards count, kept per day and kind of ticket (doc/api/metrics.md). A ticket's own row remembers what it was counted as, so that a change
-- is the difference between two rows, applied as often as one likes.
alter table customers add column timezone text not null default 'Asia/Shanghai'; -- whose days the customer counts in

create table ticket_outcomes (
  tenant_id bigint not null,
  ticket_id bigint not null,
  service_type text not null,
  priority text not null,
  department text not null,
  project text not null,
  region text not null,
  engineer_id bigint not null,
  opened_day date not null,
  pending integer not null,
  resolved integer not null,
  overdue integer not null,
  response_n integer not null,
  response_s bigint not null,
  resolution_n integer not null,
  resolution_s bigint not null,
  response_day date,
  response_met integer not null,
  resolution_day date,
  resolution_met integer not null,
  decided_day date,
  met integer not null,
  counted integer not null, -- 0: excluded, by two people's word
  met_waived integer not null,
  primary key (tenant_id, ticket_id)
);

create table rollups (
  tenant_id bigint not null references customers,
  day date not null,
  service_type text not null,
  priority text not null,
  department text not null,
  project text not null,
  region text not null,
  engineer_id bigint not null,
  opened bigint not null default 0,
  pending bigint not null default 0,
  resolved bigint not null default 0,
  overdue bigint not null default 0,
  response_n bigint not null default 0,
  response_s bigint not null default 0,
  resolution_n bigint not null default 0,
  resolution_s bigint not null default 0,
  response_decided bigint not null default 0,
  response_met bigint not null default 0,
  resolution_decided bigint not null default 0,
  resolution_met bigint not null default 0,
  decided bigint not null default 0,
  met bigint not null default 0,
  counted bigint not null default 0,
  met_counted bigint not null default 0,
  primary key (tenant_id, day, service_type, priority, department, project, region, engineer_id)
);

create index sla_clocks_breached on sla_clocks (tenant_id, breached_at) where breached_at is not null;
