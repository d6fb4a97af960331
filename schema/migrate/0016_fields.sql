-- SPDX-License-Identifier: Apache-2.0
-- Data keys of personal fields, wrapped by the master key, which is not here. Key 0 is that of the blind indexes and is never replaced.
create table field_keys (
  tenant_id bigint not null references customers default 1 check (tenant_id = 1),
  id integer not null check (id >= 0),
  wrapped bytea not null check (length(wrapped) = 60),
  created_at timestamptz not null,
  active_from timestamptz not null, -- by then every instance has read it
  primary key (tenant_id, id)
);

-- Equality of a mail address that is encrypted.
alter table client_users add column email_index text check (email_index ~ '^[0-9a-f]{64}$');
alter table client_users drop constraint client_users_phone_check;
create unique index client_users_email_index on client_users (tenant_id, email_index);
alter table staff add column email_index text check (email_index ~ '^[0-9a-f]{64}$');
create unique index staff_email_index on staff (tenant_id, email_index);

-- Ids of audit rows for people: AUD-20261126-001, per tenant and day (UTC).
alter table audit_logs add column day date, add column day_no integer;
create unique index audit_logs_day on audit_logs (tenant_id, day, day_no);

-- What the chain of each tenant ended with, once a day: who keeps it elsewhere sees a chain that was cut off or made anew.
create table audit_anchors (
  tenant_id bigint not null references customers,
  day date not null,
  chain_no bigint not null,
  digest bytea not null check (length(digest) = 32),
  anchored_at timestamptz not null,
  primary key (tenant_id, day)
);
insert into notification_templates (tenant_id, code, lang, subject, body) values
(1,'audit_anchor','zh','[审计] {{day}} 各审计链的末端摘要',E'请妥善保存本邮件:它可证明截至 {{day}} 的审计日志未被改动。\n\n{{anchors}}\n'),
(1,'audit_anchor','en','[audit] Where each audit chain ended on {{day}}',E'Keep this mail: it proves that the audit log up to {{day}} was not changed.\n\n{{anchors}}\n');
