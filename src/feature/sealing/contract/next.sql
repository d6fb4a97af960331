-- sealing/next: values of a column that are not encrypted as they should be.
-- mode: job   shape: rows   class: job
-- $1 column  text  call.column  required
-- $2 like    text  call.like    required
-- $3 after   text  call.after   required
-- $4 limit   int   call.limit   required
select n.at, n.place, n.value from sealed_next($1::text, $2::text, $3::text, $4::int) n
