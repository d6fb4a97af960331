-- SPDX-License-Identifier: Apache-2.0
-- Tickets that are led elsewhere, compared with what their leader says of them: numbers and checksums, what was put right, and what is left.
create table source_checks (
  tenant_id bigint not null references customers,
  started_at timestamptz not null,
  ended_at timestamptz,
  state text not null check (state in ('repairing', 'agrees', 'repaired', 'differs', 'failed')),
  theirs bigint not null,          -- tickets, as their leader counts them
  ours bigint not null,
  differing bigint not null default 0,
  repaired bigint not null default 0,
  left_over jsonb not null default '[]', -- [{ticket_id, reason, reason_zh}, …], the first twenty
  primary key (tenant_id, started_at)
);
-- When all of them were compared last, by whichever instance: one row, the provider's.
create table source_runs (
  tenant_id bigint not null primary key references customers,
  started_at timestamptz not null,
  ended boolean not null
);
insert into notification_templates (tenant_id, code, lang, subject, body) values
(1,'source_differs','zh','[数据一致性] {{of}} 的工单与主导系统不一致',E'主导系统有 {{theirs}} 个工单,本系统有 {{ours}} 个;不一致 {{differing}} 个,已修复 {{repaired}} 个,仍不一致 {{left_over}} 个。\n修复期间相关统计数字标记为核对中。详情见 GET /api/v1/data-quality/sources。\n'),
(1,'source_differs','en','[data consistency] Tickets of {{of}} differed from the system that leads them',E'It counts {{theirs}} tickets, we had {{ours}}; {{differing}} differed, {{repaired}} were put right, {{left_over}} still differ.\nFigures were marked while they were put right. Details: GET /api/v1/data-quality/sources.\n');
