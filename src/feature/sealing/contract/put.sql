-- sealing/put: store values of a column that have been encrypted anew.
-- mode: job   shape: rows   class: job
-- $1 column  text  call.column  required
-- $2 rows    json  call.rows    required
select sealed_put($1::text, $2::jsonb) as stored
