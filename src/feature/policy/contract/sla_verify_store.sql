-- sla/verify_store: the tickets after $4 up to $5 were checked; the differing ones are listed, the others no longer. A check that differs is mailed to the provider's managers. No row: another instance has gone on meanwhile.
-- mode: job   shape: rows   class: job
-- $1 now      bigint  call.now      required
-- $2 tenant   bigint  call.tenant   required
-- $3 started  bigint  call.started  required
-- $4 was      bigint  call.was      required
-- $5 after    bigint  call.after    required
-- $6 tickets  bigint  call.tickets  required
-- $7 found    json    call.found    required
-- $8 done     bool    call.done     required
with f as (
  select * from jsonb_to_recordset($7::jsonb) as x(ticket_id bigint, clocks jsonb)
), c as materialized (
  update sla_checks x set after = $5::bigint, tickets = x.tickets + $6::bigint, differences = x.differences + (select count(*) from f),
    done_at = case when $8::boolean then ts($1::bigint) end
  where x.tenant_id = $2::bigint and x.started_at = ts($3::bigint) and x.after = $4::bigint and x.done_at is null
  returning x.tenant_id, x.tickets, x.differences, x.done_at
), gone as (
  delete from sla_differences d using c
  where d.tenant_id = c.tenant_id and d.ticket_id > $4::bigint and (d.ticket_id <= $5::bigint or c.done_at is not null)
    and not exists (select from f where f.ticket_id = d.ticket_id)
), listed as (
  insert into sla_differences (tenant_id, ticket_id, clocks, found_at) select c.tenant_id, f.ticket_id, f.clocks, ts($1::bigint) from c cross join f
  on conflict (tenant_id, ticket_id) do update set clocks = excluded.clocks
), told as materialized (
  select account_event(1, 'staff', s.id, 'sla.differs', 'sla_differs', $1::bigint,
    jsonb_build_object('of', (select x.name from customers x where x.tenant_id = c.tenant_id), 'tickets', c.tickets::text,
      'differences', c.differences::text)) as seq
  from c join staff s on s.role in ('admin', 'manager') and s.disabled_at is null
    and (s.serves_all or exists (select from staff_tenants st where st.tenant_id = c.tenant_id and st.staff_id = s.id))
  where c.done_at is not null and c.differences > 0
)
select c.tickets, c.differences, (select count(*) from told) as told from c
