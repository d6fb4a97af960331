-- cli/token_list: all service tokens.
-- mode: job   shape: rows   class: job
select t.tenant_id, t.id, t.name, array_to_string(t.scopes, ','), t.expires_at, t.revoked_at
from api_tokens t
order by t.tenant_id, t.id
