-- SPDX-License-Identifier: Apache-2.0
-- The text that was shipped is kept beside the provider's own wording, so that there is a way back. Empty: the wording differs from what was
-- shipped; schema/code/064_texts.sql, which runs next, fills it in.
alter table notification_templates add column shipped_subject text not null default '', add column shipped_body text not null default '';
update notification_templates t set shipped_subject = t.subject, shipped_body = t.body
where t.shipped is null or t.shipped = encode(sha256(convert_to(t.subject || chr(10) || t.body, 'UTF8')), 'hex');
alter table notification_templates alter column shipped_subject drop default, alter column shipped_body drop default;
