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
from audit_matching(coalesce($10::bigint, $4::bigint), case when $2::bigint is not null then coalesce($3::bigint, 0) end, $5::text, $6::text, $7::text,
  $8::timestamptz, $9::timestamptz) a
order by a.chain_no desc
offset $1::int - 1
limit 2
