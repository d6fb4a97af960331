-- SPDX-License-Identifier: Apache-2.0
-- Who saved a policy and for which service; which form of policies an instance reads (earlier versions do not say so: the first one).
alter table sla_configurations add column service_name text, add column created_by_kind text, add column created_by bigint,
  add column created_at timestamptz;
alter table lease_owners add column policy_format integer not null default 1;
