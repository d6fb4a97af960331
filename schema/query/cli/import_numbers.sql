-- cli/import_numbers: ids and seqs for the staged tickets.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
with c as (
  update tenant_counters c set seq = c.seq + (select sum(s.events) from s_ticket s)
  where c.tenant_id = $1::bigint
  returning c.seq - (select sum(s.events) from s_ticket s) as base
)
insert into s_new (n, id, base)
select s.n, nextval(pg_get_serial_sequence('tickets', 'id')), c.base + sum(s.events) over (order by s.n) - s.events
from s_ticket s, c
