-- auth/rights: the present state and rights of sessions and service tokens; those that have ended are left out.
-- mode: job   shape: rows   class: job
-- $1 kinds    text    call.kinds    required
-- $2 tenants  text    call.tenants  required
-- $3 ids      text    call.ids      required
-- $4 now      bigint  call.now      required
select q.n, r.actor_kind, r.actor_id, r.expires_at, r.tenants, r.role, r.full_name, r.username, r.lang, r.level, r.must_change, r.permissions, r.scope,
  r.must_enrol, r.support, r.sha256, r.serves_all, r.admin_permissions, r.maker_permissions, r.owner_id
from unnest($1::text[], $2::bigint[], $3::bigint[]) with ordinality as q(kind, tenant_id, id, n)
cross join lateral rights_now(q.kind, q.tenant_id, q.id, $4::bigint) r
order by q.n
