-- SPDX-License-Identifier: Apache-2.0
-- The list of notifications that were given up.
create index notifications_dead on notifications (tenant_id, created_at, id) where state = 'dead';
