-- cli/isolation_has: does a customer have this text, too?
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
-- $2 text    text    call.text    required
select exists (
  select from (
    select t.title as t from tickets t where t.tenant_id = $1::bigint
    union all select m.body from ticket_comments m where m.tenant_id = $1::bigint
    union all select concat_ws(' ', u.username, u.full_name, u.department, u.project) from client_users u where u.tenant_id = $1::bigint
    union all select concat_ws(' ', a.username, a.resource) from audit_logs a where a.tenant_id = $1::bigint
    union all select concat_ws(' ', c.code, c.name_zh, c.name_en) from catalogue c where c.tenant_id = $1::bigint
    union all select w.url from webhooks w where w.tenant_id = $1::bigint) x
  where position($2 in x.t) > 0)
