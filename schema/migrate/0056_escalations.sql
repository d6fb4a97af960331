-- SPDX-License-Identifier: Apache-2.0
-- A customer's request for escalation and an escalation by staff are two events; the customer is answered who looks and until when. A page of a P0
-- reaches a person once (desk_store), and the customer success manager of one that nobody confirmed, too.
insert into notification_rules (tenant_id, event_type, event_key, recipient_group, channel, template) values
(1, 'ticket.escalation_requested', '', 'level', 'mail', 'ticket_escalation'),
(1, 'ticket.escalation_requested', '', 'requester', 'mail', 'escalation_answer'),
(1, 'ticket.escalation_requested', 'top', 'on_call', 'mail', 'ticket_escalation'),
(1, 'ticket.escalated', '', 'assignee', 'mail', 'ticket_escalated'), (1, 'ticket.escalated', '', 'level', 'mail', 'ticket_escalated'),
(1, 'ticket.escalated', '', 'manager', 'mail', 'ticket_escalated'), (1, 'ticket.escalated', 'top', 'on_call', 'mail', 'ticket_escalated'),
(1, 'ticket.escalated', '', 'requester', 'mail', 'escalation_told'), (1, 'ticket.escalated', '', 'webhook', 'webhook', 'webhook'),
(1, 'ticket.escalation_late', '', 'level', 'mail', 'escalation_late'), (1, 'ticket.escalation_late', '', 'manager', 'mail', 'escalation_late'),
(1, 'ticket.escalation_late', '', 'assignee', 'mail', 'escalation_late'),
(1, 'ticket.p0_unconfirmed', '', 'success', 'mail', 'p0_page')
on conflict do nothing;

insert into notification_templates (tenant_id, code, lang, subject, body) values
(1, 'escalation_answer', 'zh', '[{{number}}] 已升级至 L{{level}}：{{title}}', E'您对工单 {{number}}「{{title}}」的升级请求已收到，工单现为 L{{level}} 级。\n现由以下人员查看：{{looks}}\n我们将在此之前答复您：{{answer_by}}\n\n{{help}}{{url}}\n'),
(1, 'escalation_answer', 'en', '[{{number}}] Escalated to L{{level}}: {{title}}', E'We have received your request to escalate ticket {{number}}, "{{title}}". It is now at level L{{level}}.\nWho is looking at it: {{looks}}\nWe will answer you by: {{answer_by}}\n\n{{help}}{{url}}\n'),
(1, 'ticket_escalated', 'zh', '[{{number}}] 工单已升级至 L{{level}}：{{title}}', E'工单 {{number}}（{{priority}}，客户 {{tenant}}）已由同事升级至 L{{level}}。\n原因：{{text}}\n\n{{url}}\n'),
(1, 'ticket_escalated', 'en', '[{{number}}] Escalated to L{{level}}: {{title}}', E'A colleague has escalated ticket {{number}} ({{priority}}, {{tenant}}) to L{{level}}.\nReason: {{text}}\n\n{{url}}\n'),
(1, 'escalation_told', 'zh', '[{{number}}] 我们已升级您的工单：{{title}}', E'我们已将工单 {{number}}「{{title}}」升级至 L{{level}}。\n现由以下人员查看：{{looks}}\n原因：{{text}}\n\n{{url}}\n'),
(1, 'escalation_told', 'en', '[{{number}}] We have escalated your ticket: {{title}}', E'We have escalated ticket {{number}}, "{{title}}", to level L{{level}}.\nWho is looking at it: {{looks}}\nReason: {{text}}\n\n{{url}}\n'),
(1, 'escalation_late', 'zh', '[{{number}}] 升级请求尚未答复：{{title}}', E'客户 {{tenant}} 请求升级工单 {{number}}（{{priority}}）后，尚未在承诺的时间前得到答复。\n\n{{url}}\n'),
(1, 'escalation_late', 'en', '[{{number}}] Escalation not answered: {{title}}', E'{{tenant}} asked for the escalation of ticket {{number}} ({{priority}}) and has not been answered by the promised time.\n\n{{url}}\n');
