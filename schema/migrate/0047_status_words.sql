-- SPDX-License-Identifier: Apache-2.0
-- Two English mails: the state of a ticket in words (in progress, not in_progress), and a sentence that begins with a capital letter. Texts that an
-- installation has changed stay.
update notification_templates t set subject = n.subject, body = n.body
from (values
('ticket_status', '[{{number}}] Status: {{status}}', '[{{number}}] Status: {{status_en}}',
  E'The status of ticket {{number}} "{{title}}" is now: {{status}}.\n\n{{url}}\n',
  E'The status of ticket {{number}} "{{title}}" is now: {{status_en}}.\n\n{{url}}\n'),
('ticket_created', '[{{number}}] We have received your ticket: {{title}}', '[{{number}}] We have received your ticket: {{title}}',
  E'Hello,\n\nwe have received your ticket {{number}} with priority {{priority}} ({{priority_en}}).\nWe will send a first response by {{response_due}}.\n\n{{url}}\n',
  E'Hello,\n\nWe have received your ticket {{number}} with priority {{priority}} ({{priority_en}}).\nWe will send a first response by {{response_due}}.\n\n{{url}}\n')
) as n (code, was_subject, subject, was_body, body)
where t.tenant_id = 1 and t.lang = 'en' and t.code = n.code and t.subject = n.was_subject and t.body = n.was_body;
