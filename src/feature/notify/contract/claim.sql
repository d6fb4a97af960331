-- notify/claim: claim due notifications until an instant, at most so many of each channel; an expired claim is taken again with the same key.
-- A mail tells the state and the priority of its event; instants are in the zone of the customer, for staff in the provider's if it has one.
-- The recipient is read as he is now: who was disabled, no longer serves the customer, may not see the ticket or
-- belongs to a customer that is not active is gone,
-- except for news of the own account.
-- Customers that have as many webhooks in progress as they may are left out.
-- mode: job   shape: rows   class: job
-- $1 me     text    call.me     required
-- $2 now    bigint  call.now    required
-- $3 channels  text  call.channels  required
-- $4 until  bigint  call.until  required
-- $5 limits  text  call.limits  required
-- $6 full  text  call.full  required
with c as (
  update notifications n set claimed_by = $1::text, claim_until = ts($4::bigint)
  where (n.tenant_id, n.id) in (
    select q.tenant_id, q.id
    from unnest($3::text[], $5::int[]) as h(channel, most)
    cross join lateral (
      select q.tenant_id, q.id from notifications q
      where q.state = 'queued' and q.channel = h.channel and q.next_attempt_at <= ts($2::bigint)
        and (q.claim_until is null or q.claim_until < ts($2::bigint))
        and not (q.channel = 'webhook' and q.tenant_id = any ($6::bigint[]))
      order by q.next_attempt_at
      limit h.most
      for update skip locked) q)
  returning n.tenant_id, n.id, n.event_seq, n.ticket_id, n.recipient_kind, n.recipient_id, n.channel, n.template, n.attempts, n.created_at
)
select c.tenant_id, c.id, c.event_seq, c.channel, c.template, c.attempts, e.type, us(e.at) as at, e.data, e.actor_kind, e.actor_id,
  t.id as ticket_id, t.number, t.title, case when c.channel = 'mail' then coalesce(e.data ->> 'status', t.status) else t.status end as status,
  case when c.channel = 'mail' then coalesce(e.data ->> 'priority', t.priority) else t.priority end as priority, k.name as tenant,
  case when r.state in ('scheduled', 'running') then us(r.due_at) end as response_due,
  coalesce(sealed_at('staff.email', s.tenant_id, sealed_row(s), s.email), sealed_at('client_users.email', u.tenant_id, sealed_row(u), u.email),
    sealed_at('contacts.email', x.tenant_id, sealed_row(x), x.email)) as email,
  coalesce(s.full_name, u.full_name, x.name) as full_name, coalesce(s.lang, u.lang, k.lang) as lang,
  w.url, sealed_at('webhooks.secret', w.tenant_id, sealed_row(w), w.secret) as secret, p.subject, p.body, left(m.body, 4000) as text,
  g.doc ->> 'delivery_hours' as hours,
  case when c.recipient_kind = 'staff' and v.zone <> 'UTC' then v.zone else k.zone end as timezone, sealed_at('client_users.phone', u.tenant_id, sealed_row(u), u.phone) as phone,
  c.recipient_kind <> 'webhook' and s.id is null and u.id is null and x.id is null as gone,
  sealed_at('events.code', c.tenant_id, c.recipient_kind || '.' || c.recipient_id::text || '.' || coalesce(e.data ->> 'step', ''), e.data ->> 'code') as code,
  h.hotline, h.customer_success_manager as success, a.owner_name as rca_owner, us(a.due_at) as rca_due, b.managers, b.engineers, b.customers,
  c.template = 'contact_accepted' and exists (select from notifications o -- was this person told of the breach that is lifted?
    join events v on v.tenant_id = o.tenant_id and v.seq = o.event_seq and v.at = o.created_at
    where o.tenant_id = c.tenant_id and o.ticket_id = c.ticket_id and o.recipient_kind = c.recipient_kind and o.recipient_id = c.recipient_id
      and o.state = 'sent' and starts_with(o.template, 'sla_breach') and v.data ->> 'clock' = 'response') as lifted,
  left(d.body, 4000) as description, coalesce(sa.full_name, ua.full_name) as actor_name, sg.full_name as assignee_name, ur.full_name as requester_name,
  coalesce(kc.budget_s, 0) as target_s, f.body as footer, m.details
from c
join customers k on k.tenant_id = c.tenant_id
left join events e on e.tenant_id = c.tenant_id and e.seq = c.event_seq and e.at = c.created_at
left join tickets t on t.tenant_id = c.tenant_id and t.id = c.ticket_id
left join sla_clocks r on r.tenant_id = c.tenant_id and r.ticket_id = c.ticket_id and r.clock = 'response'
left join staff s on c.recipient_kind = 'staff' and s.id = c.recipient_id
  and (starts_with(c.template, 'auth_') or door.staff_serves(s.id, c.tenant_id))
left join client_users u on c.recipient_kind = 'customer' and u.tenant_id = c.tenant_id and u.id = c.recipient_id
  and (starts_with(c.template, 'auth_') or u.disabled_at is null and k.status = 'active' and (t.id is null
    or user_sees(u.tenant_id, u.id, u.role_type, t.requester_kind, t.requester_id, t.department, t.project, $2::bigint)))
left join contacts x on c.recipient_kind = 'contact' and x.tenant_id = c.tenant_id and x.id = c.recipient_id and x.email is not null and k.status = 'active'
left join webhooks w on c.recipient_kind = 'webhook' and w.tenant_id = c.tenant_id and w.id = c.recipient_id and w.active and k.status = 'active'
left join ticket_comments m on m.tenant_id = c.tenant_id and m.id = (e.data ->> 'comment_id')::bigint and m.created_at = e.at
  and (m.audience = 'customer' or c.recipient_kind = 'staff')
left join notification_templates p on p.tenant_id = 1 and p.code = c.template and p.lang = coalesce(s.lang, u.lang, k.lang)
left join sla_configurations g on g.tenant_id in (c.tenant_id, 1) and g.id = t.policy_id
left join customer_details h on h.tenant_id = c.tenant_id
left join lateral ( -- the analysis that this breach has begun, or that the mail is about
  select o.full_name as owner_name, a.due_at from rca_tasks a left join staff o on o.tenant_id = 1 and o.id = a.owner_id
  where a.tenant_id = c.tenant_id and a.ticket_id = c.ticket_id and (starts_with(c.template, 'rca_')
    or starts_with(c.template, 'sla_breach') and a.event_seq = c.event_seq + 1)
  order by a.id desc limit 1) a on true
left join lateral ( -- whom the same breach was told to
  select string_agg(m.full_name, E'\n' order by m.id) filter (where m.role <> 'engineer') as managers,
    string_agg(m.full_name, E'\n' order by m.id) filter (where m.role = 'engineer') as engineers,
    count(*) filter (where o.recipient_kind in ('customer', 'contact')) as customers
  from notifications o left join staff m on o.recipient_kind = 'staff' and m.tenant_id = 1 and m.id = o.recipient_id
  where (starts_with(c.template, 'sla_breach') or starts_with(c.template, 'escalation_')) and o.tenant_id = c.tenant_id and o.event_seq = c.event_seq and o.channel = 'mail') b on true
join customers v on v.tenant_id = 1
left join ticket_comments d on d.tenant_id = t.tenant_id and d.ticket_id = t.id and d.created_at = t.opened_at and d.kind = 'description' and d.audience = 'customer'
left join staff sa on e.actor_kind = 'staff' and sa.tenant_id = 1 and sa.id = e.actor_id
left join client_users ua on e.actor_kind = 'customer' and ua.tenant_id = c.tenant_id and ua.id = e.actor_id
left join staff sg on sg.tenant_id = 1 and sg.id = t.assignee_id
left join client_users ur on t.requester_kind = 'customer' and ur.tenant_id = t.tenant_id and ur.id = t.requester_id
left join sla_clocks kc on kc.tenant_id = c.tenant_id and kc.ticket_id = c.ticket_id and kc.clock = e.data ->> 'clock'
left join notification_templates f on f.tenant_id = 1 and f.code = 'mail_footer' and f.lang = coalesce(s.lang, u.lang, k.lang)
