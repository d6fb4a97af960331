-- keys/list: the wrapped data keys of personal fields; then the marks of columns whose values of an earlier version are being encrypted anew.
-- mode: job   shape: rows   class: job
select k.id, encode(k.wrapped, 'hex') as wrapped, us(k.active_from) / 1000000 as from_s, us(k.created_at) / 1000000 as created_s, null::text as name
from field_keys k
union all
select null, c.open, null, null, c.name
from sealed_columns c
order by name nulls first, id
