-- cli/staff_add: create a member of the staff.
-- mode: job   shape: rows   class: job
-- $1 username      text  call.username     required
-- $2 name          text  call.name         required
-- $3 email         text  call.email        required
-- $4 lang          text  call.lang         required
-- $5 role          text  call.role         required
-- $6 level         int   call.level        required
-- $7 on_call       bool  call.on_call      required
-- $8 password      text  call.password     required
-- $9 now           time  call.now          required
-- $10 must_change  bool  call.must_change  required
insert into staff (username, full_name, email, lang, role, level, on_call, password_hash, created_at, must_change)
values ($1, $2, $3, $4, $5, $6::smallint, $7::boolean, $8, $9::timestamptz, $10::boolean)
returning id
