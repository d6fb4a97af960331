-- SPDX-License-Identifier: Apache-2.0
-- The 90 % threshold raises the ticket's level itself, so that it is the engineers of that level who are told, not those of the one above.
update notification_rules set recipient_group = 'level' where tenant_id = 1 and event_type = 'sla.threshold' and event_key = '90' and recipient_group = 'next_level';
