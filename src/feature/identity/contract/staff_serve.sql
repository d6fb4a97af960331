-- staff/serve: let a member of the staff serve these customers; what is wrong, or null.
-- mode: job   shape: rows   class: job
-- $1 giver    json    call.giver    required
-- $2 staff    bigint  call.staff    required
-- $3 all      bool    call.all      required
-- $4 tenants  text    call.tenants  required
-- $5 now      bigint  call.now      required
-- $6 by       text    call.by       required
select staff_serve($1::jsonb, $2::bigint, $3::bool, $4::text::bigint[], $5::bigint, $6::text) as fault
