-- rollup/ticket_groups: the same as rollup/groups, by what only the ticket itself names: contract, cost centre or office.
-- mode: read   shape: rows   class: slow
-- $1 now           bigint  call.now           required
-- $2 days          int     call.days          required
-- $3 tenant        bigint  call.tenant        required
-- $4 group         text    call.group         required
-- $5 service_type  text    call.service_type  optional
-- $6 last          text    call.last          optional
with z as materialized (
  select c.tenant_id, coalesce($6::date, (ts($1::bigint) at time zone c.zone)::date) as today from customers c where c.tenant_id = $3::bigint
)
select x.name, (z.today - $2::int + 1)::text as first, z.today::text as last, x.opened, x.response_n, x.response_s, x.resolution_n, x.resolution_s,
  x.decided, x.met, x.counted, x.met_counted, x.overdue
from z left join lateral (
  select coalesce(case $4::text when 'contract' then t.contract when 'cost_centre' then t.cost_centre else t.office end, '') as name,
    sum(r.opened)::bigint as opened, sum(r.response_n)::bigint as response_n, sum(r.response_s)::bigint as response_s,
    sum(r.resolution_n)::bigint as resolution_n, sum(r.resolution_s)::bigint as resolution_s, sum(r.decided)::bigint as decided, sum(r.met)::bigint as met,
    sum(r.counted)::bigint as counted, sum(r.met_counted)::bigint as met_counted, sum(r.overdue)::bigint as overdue
  from ticket_outcomes o
  join tickets t on t.tenant_id = o.tenant_id and t.id = o.ticket_id
  cross join lateral rollup_parts(o) r
  where o.tenant_id = z.tenant_id and r.day > z.today - $2::int and r.day <= z.today and ($5::text is null or o.service_type = $5::text)
  group by 1) x on true
order by x.name
