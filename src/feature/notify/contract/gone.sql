-- notify/gone: the receiver of a webhook answered that it is gone: the notification is dead, the webhook is switched off, and the customer's administrators (the provider's managers) get a mail.
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
  returning tenant_id, id, recipient_id
), w as (
  update webhooks w set active = false, off_at = ts($5::bigint), off_reason = $6::text
  from n where w.tenant_id = n.tenant_id and w.id = n.recipient_id and w.active
  returning w.tenant_id, w.id, split_part(w.url, '?', 1) as url
), told as (
  select account_event(w.tenant_id, r.recipient_kind, r.recipient_id, 'webhook.switched_off', 'webhook_off', $5::bigint,
    jsonb_build_object('webhook_id', w.id, 'of', w.url)) as seq
  from w cross join lateral door.recipients(case when w.tenant_id = 1 then 'manager' else 'customer_admins' end, w.tenant_id, 'webhook.switched_off', 1) r
), d as (
  insert into deliveries (tenant_id, notification_id, attempt, at, ok, took_ms, detail)
  select n.tenant_id, n.id, $4::int, ts($5::bigint), false, $7::int, $6::text from n
  returning id
)
select d.id, (select count(*) from told) as told from d
