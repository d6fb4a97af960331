-- SPDX-License-Identifier: Apache-2.0
-- A session has an absolute end. Those that were refreshed past it before there was one end now, or then.
update sessions set expires_at = created_at + case actor_kind when 'staff' then interval '30 days' else interval '90 days' end
where revoked_at is null and expires_at > created_at + case actor_kind when 'staff' then interval '30 days' else interval '90 days' end;
