-- factor/codes_key: replace digests of recovery codes by keyed ones.
-- mode: job   shape: rows   class: job
-- $1 list  json  call.list  required
update recovery_codes c set digest = x.keyed, keyed = true
from jsonb_to_recordset($1::jsonb) as x(tenant_id bigint, kind text, actor_id bigint, digest text, keyed text)
where c.tenant_id = x.tenant_id and c.actor_kind = x.kind and c.actor_id = x.actor_id and c.digest = x.digest and not c.keyed
returning c.tenant_id
