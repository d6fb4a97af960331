-- SPDX-License-Identifier: Apache-2.0
-- The open tickets that have used more than 80 % of a budget, with the instant of what raised the alert: the latest breach that is not waived, else the
-- highest threshold that has been reached. A ticket whose exclusion is approved, or whose breaches are waived, is not in it.
create or replace view ticket_alerts with (security_invoker = true) as
select t.tenant_id, t.id, t.number, t.title, t.status, t.priority, t.sla_high, t.urgent_clock, t.urgent_at, b.at is not null as breached,
  coalesce(b.at, w.at, t.updated_at) as alert_at
from tickets t
left join lateral (
  select max(k.breached_at) as at from sla_clocks k
  where k.tenant_id = t.tenant_id and k.ticket_id = t.id and k.verdict = 'breached') b on true
left join lateral (
  select max(f.due_at) as at from sla_fires f
  where f.tenant_id = t.tenant_id and f.ticket_id = t.id and f.clock <> 'ladder' and f.threshold <> '100') w on true
where t.sla_high >= 80 and t.exclusion_state is distinct from 'approved'
  and (t.sla_high < 100 or b.at is not null) -- 100 without a breach: waived before sla_high left waived clocks out
  and t.status in ('new', 'accepted', 'in_progress', 'pending_customer', 'pending_aws', 'scheduled', 'mitigated', 'monitoring');
