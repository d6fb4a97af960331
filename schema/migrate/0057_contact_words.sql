-- SPDX-License-Identifier: Apache-2.0
-- A recorded contact is not an engineer's reply; a reopening says so, with who and why; an accepted contact lifts a breach only for those who were
-- told of it. Texts that an installation has changed stay.
insert into notification_templates (tenant_id, code, lang, subject, body) values
(1, 'ticket_contacted', 'zh', '[{{number}}] 与您的联系记录：{{title}}', E'我们在工单 {{number}}「{{title}}」中记录了与您的一次联系。\n联系时间：{{contact_at}}\n\n{{text}}\n\n如果没有这次联系，或内容不符，请在工单中提出异议。\n\n{{url}}\n'),
(1, 'ticket_contacted', 'en', '[{{number}}] Record of a contact with you: {{title}}', E'We have recorded a contact with you in ticket {{number}}, "{{title}}".\nTime of the contact: {{contact_at}}\n\n{{text}}\n\nIf this contact did not take place, or went otherwise, please dispute it in the ticket.\n\n{{url}}\n'),
(1, 'ticket_reopened', 'zh', '[{{number}}] 已重新打开：{{title}}', E'工单 {{number}}「{{title}}」已由{{side}}重新打开，将继续处理。\n原因：{{text}}\n\n{{url}}\n'),
(1, 'ticket_reopened', 'en', '[{{number}}] Reopened: {{title}}', E'Ticket {{number}}, "{{title}}", has been reopened by {{side}}. The work on it goes on.\nReason: {{text}}\n\n{{url}}\n')
on conflict do nothing;

update notification_rules r set template = n.template
from (values ('ticket.contacted', 'ticket_reply', 'ticket_contacted'), ('ticket.reopened', 'ticket_status', 'ticket_reopened'),
  ('ticket.reopened', 'ticket_customer_reply', 'ticket_reopened')) as n (type, was, template)
where r.tenant_id = 1 and r.event_type = n.type and r.template = n.was;

update notification_templates t set body = n.body
from (values
('zh', E'经主管核实，工单 {{number}} 的联系记录计为首次响应，此前通知的违约已撤销。\n原因：{{text}}\n\n{{url}}\n',
  E'经主管核实，工单 {{number}} 的联系记录计为首次响应。{{lifted}}\n原因：{{text}}\n\n{{url}}\n'),
('en', E'A supervisor accepted the recorded contact as the first response of ticket {{number}}. The breach that you were notified of has been lifted.\nReason: {{text}}\n\n{{url}}\n',
  E'A supervisor accepted the recorded contact as the first response of ticket {{number}}.{{lifted}}\nReason: {{text}}\n\n{{url}}\n')
) as n (lang, was, body)
where t.tenant_id = 1 and t.code = 'contact_accepted' and t.lang = n.lang and t.body = n.was;
