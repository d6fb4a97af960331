-- SPDX-License-Identifier: Apache-2.0
-- Text messages to a phone, by the operator's gateway: codes of a log-in.
alter table notifications drop constraint notifications_channel_check;
alter table notifications add constraint notifications_channel_check check (channel in ('mail', 'webhook', 'sms'));
insert into notification_templates (tenant_id, code, lang, subject, body) values
(1,'auth_code_sms','zh','登录验证码','登录验证码 {{code}},5 分钟内有效。非本人操作请忽略并修改密码。'),
(1,'auth_code_sms','en','Log-in code','Your log-in code is {{code}}, good for 5 minutes. If you did not log in, change your password.');
