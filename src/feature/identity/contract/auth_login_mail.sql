-- auth/login_mail: the account that a mail address stands for, if there is just one.
-- mode: door   shape: rows   class: point
-- $1 tenant    text  call.tenant    optional
-- $2 username  text  call.username  required
-- $3 index     text  call.index     required
select d.tenant, d.username from door.login_mail($1::text, $2::text, $3::text) d
