-- SPDX-License-Identifier: Apache-2.0
-- The event that creates a ticket names the versions of policy and calendar that the ticket is bound to, as the event of a rebind does: else
-- the history of a rebound ticket cannot be replayed. Imported and demo tickets of earlier versions lack them. A ticket that was never rebound
-- is still bound to the first versions; what the others were bound to is not known, and sla verify names those whose clocks differ.
update events e set data = e.data || jsonb_build_object('policy_id', t.policy_id, 'calendar_id', t.calendar_id)
from tickets t
where e.tenant_id = t.tenant_id and e.ticket_id = t.id and e.type = 'ticket.created' and not e.data ? 'policy_id'
  and not exists (select from events r where r.tenant_id = t.tenant_id and r.ticket_id = t.id and r.type = 'ticket.rebound');
alter table events add constraint events_name_versions
  check (type not in ('ticket.created', 'ticket.rebound') or data ?& array['policy_id', 'calendar_id']) not valid;
