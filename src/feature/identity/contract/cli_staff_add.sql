-- cli/staff_add: create a member of the staff, who serves these customers, or all of them if no list is given. No row: one of them does not exist.
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
-- $11 codes        text  call.codes        optional
-- $12 id           bigint  call.id         required
-- $13 index        text  call.index        required
with wanted as (
  select x.code, c.tenant_id from unnest(string_to_array($11::text, ',')) x(code) left join customers c on c.code = x.code and c.tenant_id > 1
), s as (
  insert into staff (id, username, full_name, email, email_index, lang, role, level, on_call, password_hash, created_at, must_change, serves_all)
  select $12::bigint, $1::text, $2::text, $3::text, $13::text, $4::text, $5::text, $6::int::smallint, $7::boolean, $8::text, $9::timestamptz, $10::boolean, $11::text is null
  where not exists (select from wanted w where w.tenant_id is null)
  returning id
), t as (
  insert into staff_tenants (tenant_id, staff_id) select distinct w.tenant_id, s.id from wanted w, s
)
select s.id from s
