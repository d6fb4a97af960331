-- cli/import_fires: store the staged fires.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
insert into sla_fires (tenant_id, ticket_id, clock, origin_seq, threshold, cycle, due_at, fired_at, lag_ms, alerted, event_seq)
select $1::bigint, m.id, f.clock, real_seq(f.origin, m.base), f.threshold, f.cycle, ts(f.due), ts(f.at), (f.at - f.due) / 1000, false, m.base + f.i
from s_fire f
join s_new m on m.n = f.n
