-- cli/import_note: a batch of a log is imported.
-- mode: job   shape: rows   class: job
-- $1 tenant       bigint  call.tenant       required
-- $2 source       text    call.source       required
-- $3 file_sha256  text    call.file_sha256  required
-- $4 batch        int     call.batch        required
-- $5 tickets      bigint  call.tickets      required
-- $6 events       bigint  call.events       required
-- $7 now          time    call.now          required
-- $8 until        time    call.until        required
insert into import_batches (tenant_id, source, file_sha256, batch, tickets, events, rejected, done_at, log_until)
values ($1::bigint, $2, $3, $4::int, $5::bigint, $6::bigint, 0, $7::timestamptz, $8::timestamptz)
returning batch
