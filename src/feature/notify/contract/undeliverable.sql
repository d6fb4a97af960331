-- notify/undeliverable: a mail reaches its recipient in no way: it is dead, and others are told, at most once a day for a recipient: the customer's other administrators of a customer's, the other managers of one of the staff's, the managers where there is nobody else.
-- That nobody can be told is not told again.
-- mode: job   shape: rows   class: job
-- $1 tenant   bigint  call.tenant   required
-- $2 id       bigint  call.id       required
-- $3 claim    text    call.claim    required
-- $4 attempt  int     call.attempt  required
-- $5 now      bigint  call.now      required
-- $6 detail   text    call.detail   required
-- $7 took_ms  int     call.took_ms  required
with n as (
  update notifications set state = 'dead', attempts = greatest(attempts, $4::int), claimed_by = null, claim_until = null, last_error = $6::text
  where tenant_id = $1::bigint and id = $2::bigint and state = 'queued' and claimed_by = $3::text
  returning tenant_id, id, ticket_id, recipient_kind, recipient_id, template
), w as (
  select n.tenant_id, n.recipient_kind, n.recipient_id, coalesce(s.full_name, u.full_name, x.name) as name, t.number
  from n
  left join staff s on n.recipient_kind = 'staff' and s.id = n.recipient_id
  left join client_users u on n.recipient_kind = 'customer' and u.tenant_id = n.tenant_id and u.id = n.recipient_id
  left join contacts x on n.recipient_kind = 'contact' and x.tenant_id = n.tenant_id and x.id = n.recipient_id
  left join tickets t on t.tenant_id = n.tenant_id and t.id = n.ticket_id
  where n.template <> 'mail_undeliverable' and not exists (
    select from events e -- of the last day, among the newest of the customer
    where e.tenant_id = n.tenant_id and e.type = 'mail.undeliverable' and e.at > ts($5::bigint) - interval '1 day'
      and e.seq > (select c.seq from tenant_counters c where c.tenant_id = n.tenant_id) - 5000
      and e.data ->> 'recipient' = n.recipient_kind || '/' || n.recipient_id)
), admins as (
  select w.*, r.recipient_kind as kind, r.recipient_id as other
  from w cross join lateral door.recipients('customer_admins', w.tenant_id, 'mail.undeliverable', 1) r
  where w.recipient_kind in ('customer', 'contact') and (r.recipient_kind, r.recipient_id) <> (w.recipient_kind, w.recipient_id)
), others as (
  select a.* from admins a
  union all
  select w.*, r.recipient_kind, r.recipient_id
  from w cross join lateral door.recipients('manager', w.tenant_id, 'mail.undeliverable', 1) r
  where (r.recipient_kind, r.recipient_id) <> (w.recipient_kind, w.recipient_id) and not exists (select from admins)
), told as (
  select account_event(o.tenant_id, o.kind, o.other, 'mail.undeliverable', 'mail_undeliverable', $5::bigint,
    jsonb_strip_nulls(jsonb_build_object('of', coalesce(o.name, '-'), 'recipient', o.recipient_kind || '/' || o.recipient_id, 'tickets', o.number))) as seq
  from others o
), d as (
  insert into deliveries (tenant_id, notification_id, attempt, at, ok, took_ms, detail)
  select n.tenant_id, n.id, $4::int, ts($5::bigint), false, $7::int, $6::text from n
  returning id
)
select d.id, (select count(*) from told) as told from d
