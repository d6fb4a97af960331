-- keys/list: the wrapped data keys of personal fields.
-- mode: job   shape: rows   class: job
select k.id, encode(k.wrapped, 'hex') as wrapped, us(k.active_from) / 1000000 as from_s, us(k.created_at) / 1000000 as created_s
from field_keys k
order by k.id
