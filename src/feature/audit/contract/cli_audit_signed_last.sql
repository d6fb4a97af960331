-- cli/audit_signed_last: the last signed anchor, if it is older than the moment that the file may take.
-- mode: job   shape: rows   class: job
-- $1 now  bigint  call.now  required
select max(s.line_no) from audit_signed s where s.signed_at < ts($1::bigint) - interval '1 minute' having count(*) > 0
