-- SPDX-License-Identifier: Apache-2.0
-- The calendar that P2's ladder runs in: the version that was in force when this version of the policy was saved, so that a changed calendar moves
-- no ladder. Null: a version from before, whose ladders run in the ticket's own calendar. A trigger fills it in (026_policies.sql).
alter table sla_configurations add column ladder_calendar_id bigint;

-- Existing versions stay as they are, and so do their tickets. The newest version of each policy with a ladder for P2 gets a successor.
insert into sla_configurations (tenant_id, code, version, service_type, calendar_code, doc, effective_from, effective_to, ladder_calendar_id)
select p.tenant_id, p.code, p.version + 1, p.service_type, p.calendar_code, p.doc || '{"ladder":{"calendar":"cn-business"}}',
  greatest(p.effective_from, now()), p.effective_to,
  (select k.id from calendars k where k.tenant_id in (p.tenant_id, 1) and k.code = 'cn-business' order by k.tenant_id desc, k.version desc limit 1)
from (select distinct on (s.tenant_id, s.code) s.* from sla_configurations s order by s.tenant_id, s.code, s.version desc) p
where exists (select from jsonb_each(p.doc -> 'priorities') b where lower(b.key) in ('p2', 'medium', '中') and b.value ? 'ladder_s')
  and (p.effective_to is null or p.effective_to > now());
update customers set config_version = config_version + 1;
