-- sla/verify_page: the events of a customer's tickets in order, from ticket $2 on, of which those up to seq $3 were read before; with the stored state of a ticket beside its first event. All of one instant.
-- mode: job   shape: rows   class: job
-- $1 tenant   bigint  call.tenant   required
-- $2 ticket   bigint  call.ticket   required
-- $3 seq      bigint  call.seq      required
-- $4 rows     int     call.rows     required
-- $5 tickets  int     call.tickets  required
select p.id, p.number, p.policy_id, p.calendar_id,
  case when p.n = 1 then (select s.doc from ticket_state s where s.tenant_id = $1::bigint and s.id = p.id) end,
  p.seq, p.type, us(p.at), p.data
from (
  select t.id, t.number, t.policy_id, t.calendar_id, e.seq, e.type, e.at, e.data, row_number() over (partition by t.id order by e.seq) as n
  from (select x.id, x.number, x.policy_id, x.calendar_id, x.opened_at from tickets x
    where x.tenant_id = $1::bigint and x.id >= $2::bigint order by x.id limit $5::int) t
  left join lateral (select v.seq, v.type, v.at, v.data from events v
    where v.tenant_id = $1::bigint and v.ticket_id = t.id and v.seq > case when t.id = $2::bigint then $3::bigint else 0 end
      and v.at >= t.opened_at - interval '1 day' -- partitions before it are skipped
    order by v.seq limit $4::int) e on true
  order by t.id, e.seq
  limit $4::int
) p
order by p.id, p.seq
