-- cli/user_add: create a customer's user; an empty attribute is none.
-- mode: job   shape: rows   class: job
-- $1 tenant        bigint  call.tenant       required
-- $2 username      text    call.username     required
-- $3 name          text    call.name         required
-- $4 email         text    call.email        required
-- $5 lang          text    call.lang         required
-- $6 role          text    call.role         required
-- $7 password      text    call.password     required
-- $8 now           time    call.now          required
-- $9 department    text    call.department   required
-- $10 project      text    call.project      required
-- $11 contract     text    call.contract     required
-- $12 cost_centre  text    call.cost_centre  required
-- $13 region       text    call.region       required
-- $14 office       text    call.office       required
-- $15 must_change  bool    call.must_change  required
-- $16 id           bigint  call.id           required
-- $17 index        text    call.index        required
insert into client_users (tenant_id, id, username, full_name, email, email_index, lang, role_type, password_hash, created_at, department, project, contract,
  cost_centre, region, office, must_change)
values ($1::bigint, $16::bigint, $2, $3, $4, $17, $5, $6, $7, $8::timestamptz, nullif($9, ''), nullif($10, ''), nullif($11, ''), nullif($12, ''), nullif($13, ''),
  nullif($14, ''), $15::boolean)
returning id
