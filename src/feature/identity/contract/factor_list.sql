-- factor/list: a user's factors and the number of recovery codes left.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
-- $2 kind    text    call.kind    required
-- $3 actor   bigint  call.actor   required
select f.id, f.kind, f.name, f.confirmed_at is not null as confirmed, us(f.created_at) as created_at, us(f.last_used_at) as last_used_at, f.credential_id,
  (select count(*) from recovery_codes c where c.tenant_id = $1::bigint and c.actor_kind = $2::text and c.actor_id = $3::bigint and c.used_at is null) as codes
from (select 1) x
left join factors f on f.tenant_id = $1::bigint and f.actor_kind = $2::text and f.actor_id = $3::bigint
order by f.id
limit 50
