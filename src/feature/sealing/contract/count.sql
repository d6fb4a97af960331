-- sealing/count: how many values of a column are not encrypted as they should be.
-- mode: job   shape: rows   class: job
-- $1 column  text  call.column  required
-- $2 like    text  call.like    required
select sealed_count($1::text, $2::text) as n
