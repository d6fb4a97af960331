-- admin/schema_version: what the database was migrated to, and the oldest program it still serves.
-- mode: job   shape: rows   class: job
select max(v.version)::int as version, (select r.compatible_from from schema_range r) as compatible_from
from schema_version v
