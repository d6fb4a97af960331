-- cli/staff_password: set the password of a member of the staff.
-- mode: job   shape: rows   class: job
-- $1 tenant       bigint  call.tenant       required
-- $2 username     text    call.username     required
-- $3 password     text    call.password     required
-- $4 must_change  bool    call.must_change  required
update staff u
set password_hash = $3, must_change = $4::boolean
where u.tenant_id = $1::bigint and u.username = $2
returning u.id
