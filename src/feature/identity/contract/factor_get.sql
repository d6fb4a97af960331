-- factor/get: one of the user's own factors that is not confirmed yet.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
-- $2 kind    text    call.kind    required
-- $3 actor   bigint  call.actor   required
-- $4 id      bigint  call.id      required
select sealed_at('factors.secret', f.tenant_id, sealed_row(f), f.secret) as secret from factors f
where f.tenant_id = $1::bigint and f.actor_kind = $2::text and f.actor_id = $3::bigint and f.id = $4::bigint and f.kind = 'totp' and f.confirmed_at is null
