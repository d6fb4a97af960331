-- cli/user_change: disable or enable an account, or set its password. No id: there is no such account.
-- mode: job   shape: rows   class: job
-- $1 tenant       bigint  call.tenant       required
-- $2 username     text    call.username     required
-- $3 what         text    call.what         required
-- $4 password     text    call.password     optional
-- $5 must_change  bool    call.must_change  required
-- $6 now          bigint  call.now          required
-- $7 by           text    call.by           required
select x.id from operator_account($1::bigint, $2::text, $3::text, $4::text, $5::bool, $6::bigint, $7::text) x(id)
where x.id is not null
