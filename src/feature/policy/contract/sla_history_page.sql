-- sla/history_page: events of a customer's tickets opened between two instants, a few tickets at a time, with their verdicts.
-- mode: read   shape: rows   class: slow
-- $1 tenant  bigint  call.tenant  required
-- $2 from    bigint  call.from    required
-- $3 to      bigint  call.to      required
-- $4 after   bigint  call.after   required
-- $5 limit   int     call.limit   required
-- $6 service_type  text  call.service_type  optional
with t as materialized (
  select t.tenant_id, t.id, t.opened_at from tickets t
  where t.tenant_id = $1::bigint and t.opened_at >= ts($2::bigint) and t.opened_at < ts($3::bigint) and t.id > $4::bigint
    and t.exclusion_state is distinct from 'approved' and ($6::text is null or t.service_type = $6::text)
  order by t.id
  limit $5::int
)
select t.id, e.seq, e.type, us(e.at) as at, e.data,
  (select k.verdict from sla_clocks k where k.tenant_id = t.tenant_id and k.ticket_id = t.id and k.clock = 'response') as response,
  (select k.verdict from sla_clocks k where k.tenant_id = t.tenant_id and k.ticket_id = t.id and k.clock = 'resolution') as resolution
from t join events e on e.tenant_id = t.tenant_id and e.ticket_id = t.id and e.at >= t.opened_at
order by t.id, e.seq
