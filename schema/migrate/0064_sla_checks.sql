-- SPDX-License-Identifier: Apache-2.0
-- The nightly check of a customer's clocks: each ticket's history is replayed and must give the clocks that are stored. A row without done_at is
-- under way.
create table sla_checks (
  tenant_id bigint not null references customers,
  started_at timestamptz not null,
  after bigint not null default 0, -- the last ticket that was checked
  tickets bigint not null default 0,
  differences bigint not null default 0, -- tickets whose clocks are not what the history gives
  done_at timestamptz,
  primary key (tenant_id, started_at)
);
create index sla_checks_open on sla_checks (started_at, tenant_id) where done_at is null;
-- The tickets that differed when they were checked last.
create table sla_differences (
  tenant_id bigint not null,
  ticket_id bigint not null,
  clocks jsonb not null, -- [{"clock", "stored", "reckoned"}]
  found_at timestamptz not null, -- by the first check that found it
  primary key (tenant_id, ticket_id),
  foreign key (tenant_id, ticket_id) references tickets
);
insert into notification_templates (tenant_id, code, lang, subject, body) values
(1, 'sla_differs', 'zh', '[数据质量] {{of}} 的 SLA 时钟与工单历史不符', E'核对了 {{tickets}} 个工单的时钟：{{differences}} 个工单存储的时钟与由其历史重新计算的结果不符。系统没有改动任何数据。\n工单列表：sladesk sla differences，或 GET /api/v1/sla/differences。\n\n请将列表交给运维人员或技术支持。\n'),
(1, 'sla_differs', 'en', '[data quality] SLA clocks of {{of}} differ from the history of their tickets', E'The clocks of {{tickets}} tickets were checked. Those of {{differences}} tickets are not what their history gives. Nothing was changed.\nThe tickets: sladesk sla differences, or GET /api/v1/sla/differences.\n\nPlease give the list to whoever operates this installation, or to support.\n');
