-- cli/key_status: the keys of personal fields, for people.
-- mode: job   shape: rows   class: job
select k.id, to_char(k.created_at, 'YYYY-MM-DD'),
  case when k.id = 0 then 'blind index' when k.id = (select max(x.id) from field_keys x) then 'new values' else 'old values' end
from field_keys k
order by k.id
