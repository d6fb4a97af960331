-- cli/token_revoke: revoke a service token.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
-- $2 id      bigint  call.id      required
-- $3 now     bigint  call.now     required
update api_tokens t
set revoked_at = ts($3::bigint)
where t.tenant_id = $1::bigint and t.id = $2::bigint and t.revoked_at is null
returning t.id
