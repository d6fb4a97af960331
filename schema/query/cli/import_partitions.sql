-- cli/import_partitions: the partitions that the staged events need; months more than twenty years ago go to the default partition.
-- mode: job   shape: rows   class: job
select door.partitions(greatest(min(ts(e.at)), max(ts(e.at)) - interval '20 years'), max(ts(e.at)))
from s_event e
