-- cli/token_revoke: revoke a service token.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
-- $2 id      bigint  call.id      required
-- $3 now     bigint  call.now     required
-- $4 by      text    call.by      required
with t as (
  update api_tokens t
  set revoked_at = ts($3::bigint)
  where t.tenant_id = $1::bigint and t.id = $2::bigint and t.revoked_at is null
  returning t.tenant_id, t.id, t.name
)
select t.id, operator_audit(t.tenant_id, $4::text, 'tokens.revoke', t.id || ' ' || t.name, $3::bigint) as audited
from t
