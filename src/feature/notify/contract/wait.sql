-- notify/wait: hold a claimed notification until an instant; of those waiting for the same clock and person, only the newest remains.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
-- $2 id      bigint  call.id      required
-- $3 claim   text    call.claim   required
-- $4 until   bigint  call.until   required
with w as (
  update notifications set next_attempt_at = ts($4::bigint), claimed_by = null, claim_until = null
  where tenant_id = $1::bigint and id = $2::bigint and state = 'queued' and claimed_by = $3::text
  returning tenant_id, id, event_seq, ticket_id, recipient_kind, recipient_id, channel, created_at
), m as (
  update notifications n set state = 'merged'
  from w
  join events b on b.tenant_id = w.tenant_id and b.seq = w.event_seq and b.at = w.created_at
  where n.channel = w.channel and n.state = 'queued' and n.next_attempt_at = ts($4::bigint) and n.tenant_id = w.tenant_id
    and n.ticket_id = w.ticket_id and n.recipient_kind = w.recipient_kind and n.recipient_id = w.recipient_id and n.event_seq < w.event_seq
    and exists (select from events a where a.tenant_id = n.tenant_id and a.seq = n.event_seq and a.at = n.created_at and a.type like 'sla.%'
      and a.data ->> 'clock' = b.data ->> 'clock')
)
select w.id from w
