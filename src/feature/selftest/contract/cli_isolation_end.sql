-- cli/isolation_end: remove the session and the token of the check.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
with s as (
  delete from sessions s where s.tenant_id = $1::bigint and s.device = 'isolation check'
)
delete from api_tokens t where t.tenant_id = $1::bigint and t.name = 'isolation check'
returning t.id
