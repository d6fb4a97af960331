-- customer/reject: record an item that was rejected, and why; the same item again increases its count.
-- mode: job   shape: rows   class: job
-- $1 source    text    call.source    required
-- $2 rejects   json    call.rejects   required
-- $3 now       bigint  call.now       required
insert into sync_rejects as x (source, external_id, field, rule, first_at, last_at)
select distinct on (r.external_id, r.field) $1::text, r.external_id, r.field, r.rule, ts($3::bigint), ts($3::bigint)
from jsonb_to_recordset($2::jsonb) as r(external_id text, field text, rule text)
on conflict (tenant_id, source, external_id, field) do update set rule = excluded.rule, times = x.times + 1, last_at = excluded.last_at
returning x.id
