-- cli/import_done: was this batch of a log imported before?
-- mode: job   shape: rows   class: job
-- $1 tenant       bigint  call.tenant       required
-- $2 source       text    call.source       required
-- $3 file_sha256  text    call.file_sha256  required
-- $4 batch        int     call.batch        required
select b.batch
from import_batches b
where b.tenant_id = $1::bigint and b.source = $2 and b.file_sha256 = $3 and b.batch = $4::int
