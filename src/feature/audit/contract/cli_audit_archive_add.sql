-- cli/audit_archive_add: record a file of the audit log.
-- mode: job   shape: rows   class: job
-- $1 tenant       bigint  call.tenant       required
-- $2 first        bigint  call.first        required
-- $3 last         bigint  call.last         required
-- $4 month        text    call.month        required
-- $5 last_at      time    call.last_at      required
-- $6 file         text    call.file         required
-- $7 file_sha256  text    call.file_sha256  required
-- $8 digest       text    call.digest       required
-- $9 now          bigint  call.now          required
insert into audit_archives (tenant_id, first_no, last_no, month, last_at, file, file_sha256, last_digest, archived_at)
values ($1::bigint, $2::bigint, $3::bigint, $4::date, $5::timestamptz, $6, $7, decode($8, 'hex'), ts($9::bigint))
returning first_no
