-- cli/import_fires: store the staged fires; what is added to a row that stands for many missed periods is added here.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
insert into sla_fires (tenant_id, ticket_id, clock, origin_seq, threshold, cycle, due_at, fired_at, lag_ms, alerted, event_seq, periods)
select $1::bigint, m.id, f.clock, real_seq(f.origin, m.base), f.threshold, min(f.cycle), ts(min(f.due)), ts(min(f.at)), (min(f.at) - min(f.due)) / 1000,
  false, m.base + min(f.i), sum(f.periods)
from s_fire f
join s_new m on m.n = f.n
group by m.id, m.base, f.clock, f.origin, f.threshold
