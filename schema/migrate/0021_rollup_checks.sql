-- SPDX-License-Identifier: Apache-2.0
-- What each recount of a customer's figures found; a row without done_at is under way.
create table rollup_checks (
  tenant_id bigint not null references customers,
  started_at timestamptz not null,
  after bigint default 0, -- the last ticket looked at; null: all were
  from_day date, -- then the first day whose rows were not looked at
  step text not null default 'look' check (step in ('look', 'mend', 'verify')),
  tickets bigint not null default 0,
  wrong bigint not null default 0, -- tickets that were counted otherwise than they are
  wrong_rows bigint not null default 0,
  left_wrong bigint not null default 0, -- rows wrong even after being made anew
  done_at timestamptz,
  primary key (tenant_id, started_at)
);
insert into notification_templates (tenant_id, code, lang, subject, body) values
(1,'rollup_wrong','zh','[数据质量] {{of}} 的统计数字有误,已重新统计',E'核对了 {{tickets}} 个工单:{{wrong}} 个此前计数有误,{{wrong_rows}} 行统计有误,均已重新统计。\n重新统计后仍有误的行:{{left_wrong}}。\n'),
(1,'rollup_wrong','en','[data quality] Figures of {{of}} were wrong and were counted anew',E'{{tickets}} tickets were recounted: {{wrong}} had been counted otherwise, {{wrong_rows}} rows of the figures were wrong. They were counted anew.\nRows that are wrong even so: {{left_wrong}}.\n');
