-- audit/sign_store: store signed anchors, unless another instance has stored some in the meantime.
-- mode: job   shape: rows   class: job
-- $1 seen  bigint  call.seen  required
-- $2 rows  json    call.rows  required
select audit_sign($1::bigint, $2::jsonb) as stored
