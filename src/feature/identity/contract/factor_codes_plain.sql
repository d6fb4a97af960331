-- factor/codes_plain: recovery codes whose digest is not keyed yet.
-- mode: job   shape: rows   class: job
select c.tenant_id, c.actor_kind, c.actor_id, c.digest from recovery_codes c where not c.keyed limit 500
