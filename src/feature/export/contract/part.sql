-- export/part: store one part of the file and extend the claim. No row: another process has the claim now.
-- mode: job   shape: rows   class: job
-- $1 tenant   bigint  call.tenant   required
-- $2 export   bigint  call.export   required
-- $3 file     bigint  call.file     required
-- $4 part_no  int     call.part_no  required
-- $5 base64   text    call.base64   required
-- $6 records  bigint  call.records  required
-- $7 now      bigint  call.now      required
-- $8 last     bool    call.last     required
-- $9 complete bool    call.complete required
with u as (
  update exports e set claim_until = ts($7::bigint) + interval '60 seconds', records = $6::bigint,
    status = case when $8::bool then 'completed' else e.status end, done_at = case when $8::bool then ts($7::bigint) end,
    complete = case when $8::bool then $9::bool end
  where e.tenant_id = $1::bigint and e.id = $2::bigint and e.file_id = $3::bigint and e.status = 'processing'
  returning e.tenant_id, e.file_id, e.status
), p as (
  insert into file_parts (tenant_id, file_id, part_no, content) select u.tenant_id, u.file_id, $4::int, decode($5::text, 'base64') from u
), f as (
  update files f set bytes = f.bytes + length(decode($5::text, 'base64')), parts = f.parts + 1, whole = $8::bool
  from u where f.tenant_id = u.tenant_id and f.id = u.file_id
)
select u.status from u
