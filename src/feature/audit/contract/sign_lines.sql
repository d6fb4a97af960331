-- audit/sign_lines: the signed anchors after a line, in order; without any, the last one.
-- mode: job   shape: rows   class: job
-- $1 after  bigint  call.after  required
with l as (
  select s.line_no, s.line from audit_signed s where s.line_no > $1::bigint order by s.line_no limit 200
), e as (
  select s.line_no, s.line from audit_signed s order by s.line_no desc limit 1
)
select l.line_no, l.line from l
union all
select e.line_no, e.line from e where not exists (select from l)
order by 1
