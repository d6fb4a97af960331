-- factor/passkey_used: record a signature by a passkey. If the passkey keeps a counter, it must have increased; otherwise the passkey may be a copy.
-- mode: job   shape: rows   class: job
-- $1 tenant   bigint  call.tenant   required
-- $2 id       bigint  call.id       required
-- $3 counter  bigint  call.counter  required
-- $4 now      bigint  call.now      required
update factors set counter = $3::bigint, last_used_at = ts($4::bigint)
where tenant_id = $1::bigint and id = $2::bigint and ($3::bigint > counter or $3::bigint = 0 and counter = 0)
returning id
