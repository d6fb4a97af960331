-- audit/sign_due: chains with 1,000 new rows, or with any new row ten minutes after their last signed anchor.
-- mode: job   shape: rows   class: job
-- $1 now  bigint  call.now  required
select c.tenant_id, l.chain_no, encode(l.digest, 'hex')
from customers c
cross join lateral (select a.chain_no, a.digest from audit_logs a where a.tenant_id = c.tenant_id order by a.chain_no desc limit 1) l
left join lateral (select s.chain_no, s.signed_at from audit_signed s where s.tenant_id = c.tenant_id order by s.line_no desc limit 1) x on true
where l.chain_no <> coalesce(x.chain_no, 0)
  and (x.chain_no is null or l.chain_no - x.chain_no not between 0 and 999 or x.signed_at <= ts($1::bigint) - interval '10 minutes')
order by c.tenant_id
limit 50
