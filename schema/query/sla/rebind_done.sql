-- sla/rebind_done: no open ticket is left on the calendars that were taken over.
-- mode: job   shape: rows   class: job
-- $1 now  bigint  call.now  required
update calendars k set rebound_at = ts($1::bigint)
where k.replaced_by is not null and k.rebound_at is null
  and not exists (select from tickets t where t.calendar_id = k.id and not t.muted
    and t.status in ('new', 'accepted', 'in_progress', 'pending_customer', 'pending_aws', 'scheduled', 'mitigated', 'monitoring'))
returning k.id
