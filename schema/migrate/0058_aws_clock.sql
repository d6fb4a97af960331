-- SPDX-License-Identifier: Apache-2.0
-- While a ticket waits for AWS, a clock of its own says when the case is looked at next; a look that nobody took is told.
alter table sla_clocks drop constraint sla_clocks_clock_check,
  add constraint sla_clocks_clock_check check (clock in ('response', 'resolution', 'update', 'ladder', 'aws'));

insert into notification_rules (tenant_id, event_type, event_key, recipient_group, channel, template) values
(1, 'sla.aws_check', '', 'assignee', 'mail', 'aws_check'), (1, 'sla.aws_check', '', 'webhook', 'webhook', 'webhook'),
(1, 'sla.aws_unchecked', '', 'assignee', 'mail', 'aws_check'), (1, 'sla.aws_unchecked', '', 'manager', 'mail', 'aws_check'),
(1, 'sla.aws_unchecked', '', 'webhook', 'webhook', 'webhook')
on conflict do nothing;

insert into notification_templates (tenant_id, code, lang, subject, body) values
(1, 'aws_check', 'zh', '[{{number}}] 请查看 AWS 案例：{{title}}', E'工单 {{number}}（{{priority}}，客户 {{tenant}}）正在等待 AWS，应在 {{due}} 前查看 AWS 案例，但尚无人跟进。\n\n请查看案例，并回复客户或添加内部备注；下一次查看从此时起算。\n\n{{url}}\n'),
(1, 'aws_check', 'en', '[{{number}}] Look at the AWS case: {{title}}', E'Ticket {{number}} ({{priority}}, {{tenant}}) is waiting for AWS. The case was to be looked at by {{due}}, and nobody has.\n\nLook at the case, then reply to the customer or add an internal note: the next look is counted from there.\n\n{{url}}\n')
on conflict do nothing;
