-- auth/login: the account that may log in under this name.
-- mode: door   shape: rows   class: point
-- $1 tenant    text  call.tenant    required
-- $2 username  text  call.username  required
select d.tenant_id, d.subject_id, d.hash
from door.login($1::text, $2::text) d
limit 1
