-- sla/rebind_next: open tickets bound to a calendar that a newer version has taken over.
-- mode: job   shape: rows   class: job
select t.tenant_id, t.id, k.replaced_by
from (select k.id, k.replaced_by from calendars k where k.replaced_by is not null and k.rebound_at is null order by k.id limit 20) k
join tickets t on t.calendar_id = k.id
where t.status in ('new', 'accepted', 'in_progress', 'pending_customer', 'pending_aws', 'scheduled', 'mitigated', 'monitoring') and not t.muted
limit 20
