-- keys/next_id: the id of a row to come in this table, because its encrypted values name it.
-- mode: job   shape: rows   class: job
-- $1 table  text  call.table  required
select nextval(pg_get_serial_sequence($1::text, 'id'))
