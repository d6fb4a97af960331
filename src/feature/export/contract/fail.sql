-- export/fail: mark an export as failed for good, with the reason.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
-- $2 export  bigint  call.export  required
-- $3 file    bigint  call.file    required
-- $4 why     text    call.why     required
-- $5 now     bigint  call.now     required
with u as (
  update exports e set status = 'failed', error = $4::text, done_at = ts($5::bigint), file_id = null
  where e.tenant_id = $1::bigint and e.id = $2::bigint and e.file_id = $3::bigint and e.status = 'processing'
  returning e.tenant_id
), g as (
  delete from files f using u where f.tenant_id = u.tenant_id and f.id = $3::bigint
)
select u.tenant_id from u
