-- SPDX-License-Identifier: Apache-2.0
-- How many of a customer's users may be logged in at once; null: the setting limits.tenant_users.
alter table customers add column max_users integer check (max_users >= 0);
