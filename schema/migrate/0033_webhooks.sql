-- SPDX-License-Identifier: Apache-2.0
-- Webhooks that we switched off because the receiver answered 410, and the mail about it.
alter table webhooks add column off_at timestamptz, add column off_reason text check (length(off_reason) <= 320);

insert into notification_templates (tenant_id, code, lang, subject, body) values
(1, 'webhook_off', 'zh', '[{{tenant}}] webhook 已停用：{{of}}', E'接收地址 {{of}} 返回 410（Gone），表示不再接收推送，因此我们已停用这个 webhook。\n尚未送达的推送不会再发送。\n\n如需恢复，请在接收端恢复正常后重新启用该 webhook，并重新发送未送达的推送。\n'),
(1, 'webhook_off', 'en', '[{{tenant}}] Webhook switched off: {{of}}', E'The receiver {{of}} replied 410 (Gone), which says that it wants no further deliveries. We have switched this webhook off.\nEvents that have not been delivered are no longer sent.\n\nTo resume, repair the receiver, switch the webhook on again, and replay the deliveries that failed.\n');
