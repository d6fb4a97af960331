-- admin/schema_version: the migrated schema version, and the oldest program version that it still supports.
-- mode: job   shape: rows   class: job
select max(v.version)::int as version, (select r.compatible_from from schema_range r) as compatible_from
from schema_version v
