-- SPDX-License-Identifier: Apache-2.0
-- The digest of a redacted text lets anybody who guesses the text confirm it. Events whose text was redacted lose it; door.redact does the same
-- from now on.
update events e set data = e.data - 'text_sha256'
from ticket_comments m
where m.body = '[redacted]' and e.tenant_id = m.tenant_id and e.ticket_id = m.ticket_id and e.at = m.created_at and e.data ? 'text_sha256';
