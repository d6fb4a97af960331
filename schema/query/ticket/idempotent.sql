-- ticket/idempotent: the result of an earlier request with the same key.
-- mode: read   shape: rows   class: point
-- $1 actor  text  call.actor  required
-- $2 key    text  call.key    required
select i.subject_id, encode(i.request_sha256, 'hex') as sha256, i.status
from idempotency_keys i
where i.tenant_id = (select current_setting('app.current_tenant_id')::bigint) and i.actor = $1::text and i.key = $2::text
limit 1
