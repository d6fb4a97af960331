-- sla/keywords: the keywords that determine a priority.
-- mode: job   shape: rows   class: job
select k.keyword, k.kind, k.priority
from priority_keywords k
where k.tenant_id = 1
order by k.keyword
