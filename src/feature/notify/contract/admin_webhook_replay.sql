-- admin/webhook_replay: send the failed deliveries of a webhook again, oldest first; at most 10,000 at once; left says how many remain.
-- zh: 重新发送某个 webhook 未送达的推送，从最早的开始，一次最多 10000 条；剩余条数见 left
-- mode: write   shape: object   class: point
-- $1 id     bigint  path.id      required range=1..9007199254740991
-- $2 since  time    body.since   optional
-- $3 now    bigint  session.now  required
-- returns id bigint, replayed bigint, left bigint, active boolean
with w as (
  select w.id, w.active from webhooks w where w.id = $1::bigint and w.tenant_id = (select current_setting('app.current_tenant_id')::bigint)
), d as materialized (
  select d.tenant_id, d.id from notifications d join w on w.active
  where d.tenant_id = (select current_setting('app.current_tenant_id')::bigint) and d.recipient_kind = 'webhook' and d.recipient_id = w.id
    and d.state = 'dead' and ($2::timestamptz is null or d.created_at >= $2::timestamptz)
), n as (
  update notifications n set state = 'queued', attempts = 0, next_attempt_at = ts($3::bigint), claimed_by = null, claim_until = null
  where (n.tenant_id, n.id) in (
    select d.tenant_id, d.id from d order by d.id limit 10000)
  returning n.id
)
select w.id, (select count(*) from n) as replayed, (select count(*) from d) - (select count(*) from n) as left, w.active from w
