-- cli/key_rewrap: store a key of personal fields, encrypted with another master key.
-- mode: job   shape: rows   class: job
-- $1 id       int   call.id       required
-- $2 wrapped  text  call.wrapped  required
update field_keys k
set wrapped = decode($2, 'hex')
where k.id = $1::int
returning k.id
