-- SPDX-License-Identifier: Apache-2.0
-- The assignee hears of a rating; of one of 1 or 2 points the managers and customer success do, too.
insert into notification_rules (tenant_id, event_type, event_key, recipient_group, channel, template) values
(1, 'ticket.rated', '', 'assignee', 'mail', 'ticket_rated'), (1, 'ticket.rated', 'low', 'manager', 'mail', 'ticket_rated'),
(1, 'ticket.rated', 'low', 'success', 'mail', 'ticket_rated')
on conflict do nothing;
