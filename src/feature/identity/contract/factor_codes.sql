-- factor/codes: replace the recovery codes by new ones.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
-- $2 kind    text    call.kind    required
-- $3 actor   bigint  call.actor   required
-- $4 codes   text    call.codes   required
-- $5 now     bigint  call.now     required
with gone as (
  delete from recovery_codes c where c.tenant_id = $1::bigint and c.actor_kind = $2::text and c.actor_id = $3::bigint and not c.digest = any ($4::text[])
)
insert into recovery_codes (tenant_id, actor_kind, actor_id, digest, keyed, created_at)
select $1::bigint, $2::text, $3::bigint, x.code, true, ts($5::bigint) from unnest($4::text[]) as x(code)
where exists (select from factors f where f.tenant_id = $1::bigint and f.actor_kind = $2::text and f.actor_id = $3::bigint and f.confirmed_at is not null)
returning digest
