-- SPDX-License-Identifier: Apache-2.0
-- The tickets below a ticket are looked up when it gets a parent.
create index tickets_parent on tickets (tenant_id, parent_id) where parent_id is not null;

-- A notification whose recipient may not read it any more is not sent.
alter table notifications drop constraint notifications_state_check,
  add constraint notifications_state_check check (state in ('queued', 'sent', 'dead', 'merged', 'dropped'));
