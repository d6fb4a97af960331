-- sla/rebind_next: open tickets after one, in order, bound to a calendar that a newer version has taken over.
-- mode: job   shape: rows   class: job
-- $1 after_tenant  bigint  call.after_tenant  required
-- $2 after_ticket  bigint  call.after_ticket  required
select t.tenant_id, t.id, k.replaced_by
from tickets t
join calendars k on k.id = t.calendar_id and k.replaced_by is not null and k.rebound_at is null
where (t.tenant_id, t.id) > ($1::bigint, $2::bigint)
  and t.status in ('new', 'accepted', 'in_progress', 'pending_customer', 'pending_aws', 'scheduled', 'mitigated', 'monitoring') and not t.muted
order by t.tenant_id, t.id
limit 20
