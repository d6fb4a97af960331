-- cli/sla_verify_events: the history of the tickets between two ids, of all tenants or of one.
-- mode: job   shape: rows   class: job
-- $1 first  bigint  call.first  required
-- $2 last   bigint  call.last   required
-- $3 code   text    call.code   required
select e.ticket_id, e.seq, e.type, us(e.at), e.data
from events e
join customers c on c.tenant_id = e.tenant_id
where e.ticket_id between $1::bigint and $2::bigint and ($3 = '' or c.code = $3)
order by e.ticket_id, e.seq
