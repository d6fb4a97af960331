-- SPDX-License-Identifier: Apache-2.0
-- What the first request with a key was answered: the same request again is answered the same, even if the ticket has changed since. Null for
-- requests of earlier versions, and where the subject cannot change.
alter table idempotency_keys add column reply jsonb;
