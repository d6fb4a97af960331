-- audit/export_end: where an export of the audit log ends: its last row, and the row after it.
-- mode: read   shape: rows   class: slow
-- $1 rows       int     call.rows       required
-- $2 cursor_at  bigint  call.cursor     optional
-- $3 cursor_id  bigint  call.cursor     optional
-- $4 tenant     bigint  call.tenant     required
-- $5 username   text    call.username   optional
-- $6 operation  text    call.operation  optional
-- $7 result     text    call.result     optional
-- $8 from       time    call.from       optional
-- $9 to         time    call.to         optional
-- $10 tenant_id  bigint  call.tenant_id  optional
select a.chain_no
from audit_logs a
where a.tenant_id = coalesce($10::bigint, $4::bigint)
  and ($2::bigint is null or a.chain_no < coalesce($3::bigint, 0))
  and ($5::text is null or a.username = $5::text)
  and ($6::text is null or a.operation = $6::text)
  and ($7::text is null or a.result = $7::text)
  and ($8::timestamptz is null or a.at >= $8::timestamptz)
  and ($9::timestamptz is null or a.at < $9::timestamptz)
order by a.chain_no desc
offset $1::int - 1
limit 2
