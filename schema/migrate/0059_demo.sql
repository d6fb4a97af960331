-- SPDX-License-Identifier: Apache-2.0
-- The mark of a demonstration: only an installation with this row is filled with invented tickets.
create table demo (
  tenant_id bigint primary key references customers default 1 check (tenant_id = 1),
  made_at timestamptz not null,
  until timestamptz not null -- what happened up to here is invented; the live simulator goes on
);
-- Demonstrations that were made before there was a mark.
insert into demo (tenant_id, made_at, until)
select 1, c.created_at, c.created_at from customers c
where c.code = 'guangming' and c.name = '光明零售'
  and exists (select from customers n where n.code = 'northwind' and n.name = 'Northwind Traders')
  and exists (select from staff s where s.username = 'zhou.tao');
