-- cli/isolation_marks: texts of a customer that are recognised in an answer.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
(select t.title from tickets t where t.tenant_id = $1::bigint and length(t.title) >= 8 order by t.id desc limit 40)
union all (select left(m.body, 60) from ticket_comments m where m.tenant_id = $1::bigint and length(m.body) >= 12 order by m.id desc limit 40)
union all (select u.username from client_users u where u.tenant_id = $1::bigint and length(u.username) >= 8 limit 40)
union all (select w.url from webhooks w where w.tenant_id = $1::bigint limit 20)
union all (select c.code from customers c where c.tenant_id = $1::bigint and length(c.code) >= 6)
