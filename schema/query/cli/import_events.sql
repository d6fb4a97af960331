-- cli/import_events: store the staged events.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
insert into events (tenant_id, seq, type, ticket_id, actor_kind, audience, at, data)
select $1::bigint, m.base + e.i, e.type, m.id, e.actor, e.audience, ts(e.at), e.data
from s_event e
join s_new m on m.n = e.n
