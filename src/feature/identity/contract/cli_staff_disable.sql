-- cli/staff_disable: disable a member of the staff.
-- mode: job   shape: rows   class: job
-- $1 tenant    bigint  call.tenant    required
-- $2 username  text    call.username  required
-- $3 now       time    call.now       required
update staff u
set disabled_at = $3::timestamptz
where u.tenant_id = $1::bigint and u.username = $2
returning u.id
