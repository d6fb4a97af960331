-- SPDX-License-Identifier: Apache-2.0
-- The owner of a root-cause analysis can be changed; the new one is told as the first was. Those that are open are counted every minute.
insert into notification_rules (tenant_id, event_type, event_key, recipient_group, channel, template) values
(1, 'ticket.rca_assigned', '', 'rca_owner', 'mail', 'rca_opened')
on conflict do nothing;
create index rca_tasks_open on rca_tasks (due_at) where done_at is null;
