-- SPDX-License-Identifier: Apache-2.0
-- From the 100th missed update period in a row one row stands for the rest, with their number (sla.md 3). Rows that were stored one by one stay.
alter table sla_fires add column periods integer not null default 1;
