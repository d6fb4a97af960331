-- ticket/idempotent: an earlier request with the same key, and how it was answered. A ticket that the caller does not see any more has no number.
-- mode: read   shape: rows   class: point
-- $1 actor  text  call.actor  required
-- $2 key    text  call.key    required
select i.subject_id, encode(i.request_sha256, 'hex') as sha256, t.number, coalesce(i.reply ->> 'status', t.status) as status,
  coalesce(i.reply ->> 'priority', t.priority) as priority, coalesce((i.reply ->> 'version')::bigint, t.version) as version,
  coalesce((i.reply ->> 'level')::int, t.level) as level, ts((i.reply ->> 'answer_by')::bigint) as answer_by
from idempotency_keys i
left join tickets t on i.subject_type = 'ticket' and t.tenant_id = i.tenant_id and t.id = i.subject_id
where i.tenant_id = (select current_setting('app.current_tenant_id')::bigint) and i.actor = $1::text and i.key = $2::text
limit 1
