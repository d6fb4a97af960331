-- cli/key_list: the keys of personal fields, encrypted with the master key.
-- mode: job   shape: rows   class: job
select k.id, encode(k.wrapped, 'hex'), floor(extract(epoch from k.active_from))::bigint
from field_keys k
order by k.id
