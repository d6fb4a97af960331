-- SPDX-License-Identifier: Apache-2.0
-- A session can prove its user by a mailed code if there is no other way: the code's digest, when it was sent, and how many were within the hour.
alter table sessions add column proof_code_sha256 text, add column proof_code_at timestamptz, add column proof_codes integer not null default 0;
insert into notification_templates (tenant_id, code, lang, subject, body) values
(1, 'auth_step_up', 'zh', '[{{tenant}}] 确认验证码 {{code}}', E'您正在修改账号的登录方式，确认验证码：{{code}}\n5 分钟内有效，仅可使用一次。\n来源地址：{{address}}\n\n如果不是您本人操作，您的会话可能已被他人使用，请结束全部会话并联系管理员。\n'),
(1, 'auth_step_up', 'en', '[{{tenant}}] Your confirmation code is {{code}}', E'Somebody who is logged in as you is changing how your account logs in. Your confirmation code: {{code}}\nIt is valid for five minutes and works once.\nSource address: {{address}}\n\nIf this was not you, end all your sessions and contact your administrator.\n');
