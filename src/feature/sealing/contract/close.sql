-- sealing/close: nothing old is accepted in this column any more.
-- mode: job   shape: rows   class: job
-- $1 column  text  call.column  required
delete from sealed_columns c where c.name = $1::text returning c.name
