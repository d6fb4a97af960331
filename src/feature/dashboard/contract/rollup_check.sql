-- rollup/check: one step of recounting the dashboard numbers; wrong numbers are mailed to the provider's managers.
-- mode: job   shape: rows   class: job
-- $1 now    bigint  call.now    required
-- $2 every  bigint  call.every  required
-- $3 limit  int     call.limit  required
with c as materialized (
  select * from rollup_check($1::bigint, $2::bigint, $3::int)
), told as materialized (
  select account_event(1, 'staff', s.id, 'figures.wrong', 'rollup_wrong', $1::bigint,
    jsonb_build_object('of', (select x.name from customers x where x.tenant_id = c.tenant_id), 'tickets', c.tickets::text, 'wrong', c.wrong::text,
      'wrong_rows', c.wrong_rows::text, 'left_wrong', c.left_wrong::text)) as seq
  from c join staff s on s.role in ('admin', 'manager') and s.disabled_at is null
    and (s.serves_all or exists (select from staff_tenants st where st.tenant_id = c.tenant_id and st.staff_id = s.id))
  where c.done_at is not null and c.wrong + c.wrong_rows > 0
)
select c.tenant_id, c.done_at is not null as done, c.tickets, c.wrong, c.wrong_rows, c.left_wrong, (select count(*) from told) as told from c
