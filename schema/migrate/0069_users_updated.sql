-- SPDX-License-Identifier: Apache-2.0
-- When a customer's user was last changed, by whoever may. Log-ins and passwords have instants of their own. Null: not since this version.
alter table client_users add column updated_at timestamptz;
