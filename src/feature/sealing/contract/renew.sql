-- sealing/renew: put off the end of a column's mark, because the work takes longer.
-- mode: job   shape: rows   class: job
-- $1 column  text  call.column  required
-- $2 open    text  call.open    required
update sealed_columns c set open = $2::text where c.name = $1::text returning c.name
