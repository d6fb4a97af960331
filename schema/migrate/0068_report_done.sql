-- SPDX-License-Identifier: Apache-2.0
-- A report that is done: the requester is told, and so are programs. The texts are in schema/code/064_texts.sql.
insert into notification_rules (tenant_id, event_type, event_key, recipient_group, channel, template) values
(1, 'ticket.report_done', '', 'requester', 'mail', 'report_done'), (1, 'ticket.report_done', '', 'webhook', 'webhook', 'webhook')
on conflict do nothing;
