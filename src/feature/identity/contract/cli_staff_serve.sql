-- cli/staff_serve: let a member of the staff serve all customers or exactly these; what is wrong, or null.
-- mode: job   shape: rows   class: job
-- $1 username  text    call.username  required
-- $2 all       bool    call.all       required
-- $3 codes     text    call.codes     required
-- $4 now       bigint  call.now       required
-- $5 by        text    call.by        required
select operator_staff_serve($1::text, $2::bool, string_to_array($3::text, ','), $4::bigint, $5::text) as fault
