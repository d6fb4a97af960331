-- cli/audit_signed_last: the last signed anchor, if it is older than the moment that the file may take.
-- mode: job   shape: rows   class: job
-- $1 now  time  call.now  required
select max(s.line_no) from audit_signed s where s.signed_at < $1::timestamptz - interval '1 minute' having count(*) > 0
