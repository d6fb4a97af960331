-- SPDX-License-Identifier: Apache-2.0
-- A breach of a response or resolution clock as it happened: the clock's row shows the present cycle under the present priority, this one keeps what
-- was promised then. Cycles before the present one, and budgets that a priority change has replaced since, are not known any more.
create table sla_breaches (
  tenant_id bigint not null,
  ticket_id bigint not null,
  clock text not null,
  cycle integer not null,
  priority text not null,
  budget_s integer not null,
  breached_at timestamptz not null,
  stopped_at timestamptz,
  waived boolean not null default false,
  primary key (tenant_id, ticket_id, clock, cycle),
  foreign key (tenant_id, ticket_id) references tickets
);
create index sla_breaches_at on sla_breaches (tenant_id, breached_at);
insert into sla_breaches (tenant_id, ticket_id, clock, cycle, priority, budget_s, breached_at, stopped_at, waived)
select k.tenant_id, k.ticket_id, k.clock, k.cycle, t.priority, k.budget_s, k.breached_at, k.stopped_at, k.waived
from sla_clocks k join tickets t on t.tenant_id = k.tenant_id and t.id = k.ticket_id
where k.clock in ('response', 'resolution') and k.breached_at is not null;
-- the recount goes on with whoever has waited longest
alter table rollup_checks add column steps integer not null default 0;
