-- SPDX-License-Identifier: Apache-2.0
-- The built-in texts of all notifications: the only place where they are written. A text replaces the one that was shipped before; where the
-- provider has its own wording, that stays, and SHIPPED stays the digest of the text that it was made from.
-- Variables: src/feature/notify/variables.def. Conditions: src/feature/notify/template.h. How a text becomes HTML: src/feature/notify/mail_html.h.
create or replace function text_digest(subject text, body text) returns text language sql immutable return
  encode(sha256(convert_to(subject || chr(10) || body, 'UTF8')), 'hex');

insert into notification_templates as t (tenant_id, code, lang, subject, body, shipped, shipped_subject, shipped_body)
select 1, n.code, n.lang, n.subject, n.body, text_digest(n.subject, n.body), n.subject, n.body
from (values
('audit_anchor', 'zh', '[审计] {{day}} 各审计链的末端摘要', '请妥善保存本邮件：它可证明截至 {{day}} 的审计日志未被改动。

{{anchors}}
'),
('audit_anchor', 'en', '[audit] Last digest of each audit chain on {{day}}', 'Keep this mail: it proves that the audit log up to {{day}} has not been changed.

{{anchors}}
'),
('auth_address', 'zh', '[{{tenant}}] 请确认您的邮箱', '{{name}}，您好：

{{by}} 把用户 {{username}} 的邮箱改为本邮箱。请在七天内打开下面的链接，确认这是您的邮箱。确认之前，不能用它登录，也不能通过它重置密码：
{{address_link}}

如果您没有该账号，请忽略本邮件。
'),
('auth_address', 'en', '[{{tenant}}] Please confirm your mail address', 'Hello {{name}},

{{by}} made this the mail address of the user {{username}}. Open this link within seven days to confirm that it is yours. Until then, you cannot log in with it or reset your password by mail:
{{address_link}}

If you have no such account, ignore this mail.
'),
('auth_address_old', 'zh', '[{{tenant}}] 您账号的邮箱已变更', '{{name}}，您好：

{{by}} 变更了用户 {{username}} 的邮箱。今后的邮件不再发送到本邮箱。

如有疑问，请立即联系贵公司的管理员。
'),
('auth_address_old', 'en', '[{{tenant}}] The mail address of your account was changed', 'Hello {{name}},

{{by}} changed the mail address of the user {{username}}. Mails no longer go to this address.

If you did not expect this, contact your administrator at once.
'),
('auth_code', 'zh', '[{{tenant}}] 登录验证码 {{code}}', '您的登录验证码：{{code}}
5 分钟内有效，仅可使用一次。
来源地址：{{address}}

如果不是您本人操作，您的密码可能已泄露，请立即修改。
'),
('auth_code', 'en', '[{{tenant}}] Your login code is {{code}}', 'Your login code: {{code}}
It is valid for five minutes and works once.
Source address: {{address}}

If this was not you, someone knows your password. Change it now.
'),
('auth_code_sms', 'zh', '登录验证码', '登录验证码 {{code}}，5 分钟内有效。如果不是您本人操作，请修改密码。'),
('auth_code_sms', 'en', 'Login code', 'Your login code is {{code}}. It is valid for 5 minutes. If you did not log in, change your password.'),
('auth_factor', 'zh', '[{{tenant}}] 您的两步验证方式已变更', '{{by}} 变更了您账号的两步验证方式：{{changed}}。
来源地址：{{address}}

如果不是您本人操作，请立即联系管理员。
'),
('auth_factor', 'en', '[{{tenant}}] Your two-step verification was changed', '{{by}} changed the two-step verification of your account: {{changed}}.
Source address: {{address}}

If this was not you, contact your administrator at once.
'),
('auth_factor_guessed', 'zh', '[{{tenant}}] 有人知道您的密码', '有人以您的正确密码登录，但在一天内多次输错验证码。一天内输错 30 次后，须修改密码才能再使用验证码登录。
来源地址：{{address}}

如果不是您本人操作，请立即修改密码。
'),
('auth_factor_guessed', 'en', '[{{tenant}}] Someone knows your password', 'Someone entered your password, but many wrong codes of the two-step verification within a day. After 30 wrong codes in a day, codes are refused until the password is changed.
Source address: {{address}}

If this was not you, change your password now.
'),
('auth_invited', 'zh', '[{{tenant}}] 您的账号已开通', '{{name}}，您好：

{{by}} 为您开通了账号。初始密码由管理员告知，首次登录时须修改。

用户名：{{username}}
客户：{{tenant}}

登录：{{home}}

{{?address_link}}请在七天内打开下面的链接，确认这是您的邮箱。确认之前，不能用它登录，也不能通过它重置密码：
{{?address_link}}{{address_link}}
'),
('auth_invited', 'en', '[{{tenant}}] Your account is ready', 'Hello {{name}},

{{by}} created an account for you. Your administrator will give you the initial password, which you must change at the first login.

User name: {{username}}
Customer: {{tenant}}

Log in: {{home}}

{{?address_link}}Open this link within seven days to confirm that this mail address is yours. Until then, you cannot log in with it or reset your password by mail:
{{?address_link}}{{address_link}}
'),
('auth_link', 'zh', '[{{tenant}}] 登录链接', '有人（来源地址 {{address}}）申请通过邮件链接登录用户 {{username}}。请在 15 分钟内打开下面的链接，链接仅可使用一次：
{{login_link}}

如果不是您本人操作，请忽略本邮件。
'),
('auth_link', 'en', '[{{tenant}}] Your login link', 'Someone (from {{address}}) asked for a link to log in as {{username}}. Open it within 15 minutes. The link works once:
{{login_link}}

If this was not you, ignore this mail.
'),
('auth_locked', 'zh', '[{{tenant}}] 该网络的密码登录已锁定 30 分钟', '有人从下列地址以您的账号连续 5 次输错密码，该网络对您账号的密码登录已锁定 30 分钟。其他网络与您信任的设备不受影响。
来源地址：{{address}}

如果不是您本人操作，请尽快联系管理员。
'),
('auth_locked', 'en', '[{{tenant}}] Password logins are locked for one network', 'Five wrong passwords in a row were entered for your account from the address below. Password logins to your account from that network are locked for 30 minutes. Other networks and your trusted devices are not affected.
Source address: {{address}}

If this was not you, contact your administrator.
'),
('auth_password', 'zh', '[{{tenant}}] 密码已修改', '您的密码已修改，其他会话均已退出。
来源地址：{{address}}

如果不是您本人操作，请立即联系管理员。
'),
('auth_password', 'en', '[{{tenant}}] Your password was changed', 'Your password was changed, and your other sessions have been ended.
Source address: {{address}}

If this was not you, contact your administrator at once.
'),
('auth_reset', 'zh', '[{{tenant}}] 重置密码', '有人（来源地址 {{address}}）为用户 {{username}} 申请重置密码。请在一小时内打开下面的链接设置新密码，链接仅可使用一次：
{{reset_link}}

如果不是您本人操作，请忽略本邮件，密码不会改变。
'),
('auth_reset', 'en', '[{{tenant}}] Reset your password', 'Someone (from {{address}}) asked to reset the password of {{username}}. Open this link within an hour to set a new password. The link works once:
{{reset_link}}

If this was not you, ignore this mail. Your password will not change.
'),
('auth_reused', 'zh', '[{{tenant}}] 一个登录会话已被终止', '同一个刷新令牌被使用了两次，它可能已被他人窃取。该会话已终止，请重新登录；如果不是您本人操作，请修改密码。
来源地址：{{address}}
'),
('auth_reused', 'en', '[{{tenant}}] One of your sessions was ended', 'A refresh token was used twice and may have been stolen. The session has been ended. Log in again, and change your password if this was not you.
Source address: {{address}}
'),
('auth_rights', 'zh', '[{{tenant}}] 您的账号权限已变更', '{{name}}，您好：

{{by}} 变更了您的账号权限。

{{?rights}}{{rights}}
{{!rights}}变更的内容：{{changed}}

您已退出登录，重新登录后生效。如有疑问，请联系贵公司的管理员。
'),
('auth_rights', 'en', '[{{tenant}}] Your account was changed', 'Hello {{name}},

{{by}} changed the rights of your account.

{{?rights}}{{rights}}
{{!rights}}What was changed: {{changed}}

You have been logged out. Log in again to continue. If you did not expect this, ask your administrator.
'),
('auth_step_up', 'zh', '[{{tenant}}] 确认验证码 {{code}}', '您正在修改账号的登录方式，确认验证码：{{code}}
5 分钟内有效，仅可使用一次。
来源地址：{{address}}

如果不是您本人操作，您的会话可能已被他人使用，请结束全部会话并联系管理员。
'),
('auth_step_up', 'en', '[{{tenant}}] Your confirmation code is {{code}}', 'Somebody who is logged in as you is changing how your account logs in. Your confirmation code: {{code}}
It is valid for five minutes and works once.
Source address: {{address}}

If this was not you, end all your sessions and contact your administrator.
'),
('auth_unusual', 'zh', '[{{tenant}}] 账号异常登录提醒', '{{name}}，您好：

您的账号刚刚登录，与平时不同：{{reasons}}。

来源地址：{{address}}
设备：{{device}}

如果不是您本人操作，请立即修改密码并结束全部会话。
'),
('auth_unusual', 'en', '[{{tenant}}] Unusual login', 'Hello {{name}},

Someone has just logged in to your account in an unusual way: {{reasons}}.

Source address: {{address}}
Device: {{device}}

If this was not you, change your password and end all sessions now.
'),
('aws_check', 'zh', '[{{number}}] 请查看 AWS 案例：{{title}}', '工单 {{number}}「{{title}}」正在等待 AWS，到了查看 AWS 案例的时间，但尚无人跟进。

客户：{{tenant}}
优先级：{{priority}}（{{priority_zh}}）
{{?due}}应在此前查看：{{due}}
{{?late}}已超时：{{late}}
{{?engineer}}工程师：{{engineer}}
{{!engineer}}工程师：尚未分派

请查看案例，并回复客户或添加内部备注；下一次查看从此时起算。

打开工单：{{url}}
'),
('aws_check', 'en', '[{{number}}] Look at the AWS case: {{title}}', 'Ticket {{number}}, "{{title}}", is waiting for AWS. The case was to be looked at, and nobody has.

Customer: {{tenant}}
Priority: {{priority}} ({{priority_en}})
{{?due}}To be looked at by: {{due}}
{{?late}}Late by: {{late}}
{{?engineer}}Engineer: {{engineer}}
{{!engineer}}Engineer: nobody yet

Look at the case, then reply to the customer or add an internal note: the next look is counted from there.

Open the ticket: {{url}}
'),
('breach_waived', 'zh', '[{{number}}] 违约已豁免：{{title}}', '{{actor}}豁免了工单 {{number}}「{{title}}」的{{clock_zh}}时限违约。

{{?quote}}原因：
{{quote}}

查看工单：{{url}}
'),
('breach_waived', 'en', '[{{number}}] Breach waived: {{title}}', '{{actor}} has waived the breach of the {{clock}} deadline of ticket {{number}}, "{{title}}".

{{?quote}}The reason:
{{quote}}

Open the ticket: {{url}}
'),
('contact_accepted', 'zh', '[{{number}}] 首次响应已认可：{{title}}', '{{actor}}核实后认可：工单 {{number}}「{{title}}」的联系记录计为首次响应。{{lifted}}

{{?quote}}原因：
{{quote}}

查看工单：{{url}}
'),
('contact_accepted', 'en', '[{{number}}] First response accepted: {{title}}', '{{actor}} has checked the contact that was recorded in ticket {{number}}, "{{title}}", and accepted it as the first response.{{lifted}}

{{?quote}}The reason:
{{quote}}

Open the ticket: {{url}}
'),
('contact_disputed', 'zh', '[{{number}}] 客户对联系记录有异议：{{title}}', '{{actor}}（{{tenant}}）对工单 {{number}}「{{title}}」的联系记录提出异议：

{{quote}}

{{?engineer}}工程师：{{engineer}}

打开工单：{{url}}
'),
('contact_disputed', 'en', '[{{number}}] The customer disputes a recorded contact: {{title}}', '{{actor}} ({{tenant}}) disputes the contact that was recorded in ticket {{number}}, "{{title}}":

{{quote}}

{{?engineer}}Engineer: {{engineer}}

Open the ticket: {{url}}
'),
('escalation_answer', 'zh', '[{{number}}] 已升级至 L{{level}}：{{title}}', '{{name}}，您好：

我们已收到您对工单 {{number}}「{{title}}」的升级请求，并升级至 L{{level}}。

{{?looks}}现由以下人员查看：{{looks}}
{{?answer_by}}答复时间：不晚于 {{answer_by}}

{{help}}查看工单：{{url}}
'),
('escalation_answer', 'en', '[{{number}}] Escalated to L{{level}}: {{title}}', 'Hello {{name}},

We have received your request to escalate ticket {{number}}, "{{title}}". It is now at level L{{level}}.

{{?looks}}Who is looking at it: {{looks}}
{{?answer_by}}We will answer you by: {{answer_by}}

{{help}}Open the ticket: {{url}}
'),
('escalation_late', 'zh', '[{{number}}] 升级请求尚未答复：{{title}}', '客户 {{tenant}} 请求升级工单 {{number}}「{{title}}」后，尚未在承诺的时间前得到答复。

优先级：{{priority}}（{{priority_zh}}）
{{?engineer}}工程师：{{engineer}}
{{!engineer}}工程师：尚未分派

打开工单：{{url}}
'),
('escalation_late', 'en', '[{{number}}] Escalation not answered: {{title}}', '{{tenant}} asked for the escalation of ticket {{number}}, "{{title}}", and has not been answered by the promised time.

Priority: {{priority}} ({{priority_en}})
{{?engineer}}Engineer: {{engineer}}
{{!engineer}}Engineer: nobody yet

Open the ticket: {{url}}
'),
('escalation_told', 'zh', '[{{number}}] 我们已升级您的工单：{{title}}', '{{name}}，您好：

{{actor}}已将工单 {{number}}「{{title}}」升级至 L{{level}}。

{{?looks}}现由以下人员查看：{{looks}}

{{?quote}}原因：
{{quote}}

查看工单：{{url}}
'),
('escalation_told', 'en', '[{{number}}] We have escalated your ticket: {{title}}', 'Hello {{name}},

{{actor}} has escalated ticket {{number}}, "{{title}}", to level L{{level}}.

{{?looks}}Who is looking at it: {{looks}}

{{?quote}}The reason:
{{quote}}

Open the ticket: {{url}}
'),
('exclusion_proposed', 'zh', '[{{number}}] 请审批：不计入达成率 {{title}}', '{{actor}}提议将工单 {{number}}「{{title}}」（客户 {{tenant}}）排除在 SLA 达成率之外，请由另一人审批。

{{?quote}}原因：
{{quote}}

打开工单：{{url}}
'),
('exclusion_proposed', 'en', '[{{number}}] Approval needed, exclusion from SLA attainment: {{title}}', '{{actor}} proposes to exclude ticket {{number}}, "{{title}}" ({{tenant}}), from the SLA attainment. Another person must approve this.

{{?quote}}The reason:
{{quote}}

Open the ticket: {{url}}
'),
('mail_footer', 'zh', '-', '本邮件由服务台自动发送给 {{name}}。
{{?reply_to}}直接回复本邮件，将送达 {{reply_to}}。
{{!reply_to}}请不要直接回复本邮件：没有人会读到。
'),
('mail_footer', 'en', '-', 'The service desk sent this mail to {{name}}.
{{?reply_to}}Answers to this mail go to {{reply_to}}.
{{!reply_to}}Please do not answer this mail: nobody will read it.
'),
('mail_undeliverable', 'zh', '[{{tenant}}] 邮件无法送达：{{of}}', '发给 {{of}} 的邮件被邮件服务器拒收，我们已不再尝试发送这封邮件。

{{?tickets}}涉及工单：{{tickets}}

请核对 {{of}} 的邮箱地址；如有急事，请以其他方式告知对方。以后发给此人的邮件仍会照常尝试；对同一收件人，这类提醒每天最多一封。
'),
('mail_undeliverable', 'en', '[{{tenant}}] Mail does not reach {{of}}', 'The mail server refused a mail to {{of}}, and we have given it up.

{{?tickets}}It was about ticket {{tickets}}.

Please check the mail address of {{of}}, and tell them in another way what is urgent. Later mails to this person are tried as before; you get at most one of these notices a day for one recipient.
'),
('p0_page', 'zh', '[紧急] [{{number}}] P0：{{title}}', '客户 {{tenant}} 发生 P0 事件。请立即受理并处理。

{{?requester}}提交人：{{requester}}
{{?response_due}}首次响应截止：{{response_due}}
{{?engineer}}工程师：{{engineer}}
{{!engineer}}工程师：尚未分派

{{?description}}客户的描述：
{{description}}

打开工单：{{url}}
'),
('p0_page', 'en', '[CRITICAL] [{{number}}] P0: {{title}}', '{{tenant}} has a P0 incident. Please accept it and act at once.

{{?requester}}Opened by: {{requester}}
{{?response_due}}First response due: {{response_due}}
{{?engineer}}Engineer: {{engineer}}
{{!engineer}}Engineer: nobody yet

{{?description}}What the customer wrote:
{{description}}

Open the ticket: {{url}}
'),
('p0_unconfirmed', 'zh', '[紧急] [{{number}}] P0 仍未确认：{{title}}', '系统把客户 {{tenant}} 的工单 {{number}} 判断为 P0，至今没有人确认。请立即确认优先级，或者改正它。

{{?requester}}提交人：{{requester}}
{{?response_due}}首次响应截止：{{response_due}}
{{?engineer}}工程师：{{engineer}}
{{!engineer}}工程师：尚未分派

{{?description}}客户的描述：
{{description}}

打开工单：{{url}}
'),
('p0_unconfirmed', 'en', '[CRITICAL] [{{number}}] P0 still not confirmed: {{title}}', 'Ticket {{number}} of {{tenant}} was judged to be P0, and nobody has confirmed this yet. Please confirm the priority at once, or correct it.

{{?requester}}Opened by: {{requester}}
{{?response_due}}First response due: {{response_due}}
{{?engineer}}Engineer: {{engineer}}
{{!engineer}}Engineer: nobody yet

{{?description}}What the customer wrote:
{{description}}

Open the ticket: {{url}}
'),
('rca_done', 'zh', '[{{number}}] 根因分析：{{title}}', '{{name}}，您好：

{{actor}}完成了工单 {{number}}「{{title}}」的根因分析：

{{quote}}

查看工单：{{url}}
'),
('rca_done', 'en', '[{{number}}] Root-cause analysis: {{title}}', 'Hello {{name}},

{{actor}} has finished the root-cause analysis of ticket {{number}}, "{{title}}":

{{quote}}

Open the ticket: {{url}}
'),
('rca_opened', 'zh', '[{{number}}] 请完成根因分析：{{title}}', '工单 {{number}}「{{title}}」的解决时限已违约，由您负责根因分析。完成后请在工单页面提交分析结果，内容会发送给客户。

客户：{{tenant}}
优先级：{{priority}}（{{priority_zh}}）
{{?rca_owner}}负责人：{{rca_owner}}
{{?rca_due}}完成期限：{{rca_due}}

打开工单：{{url}}
'),
('rca_opened', 'en', '[{{number}}] Root-cause analysis: {{title}}', 'The resolution deadline of ticket {{number}}, "{{title}}", has been missed. You are responsible for the root-cause analysis. Submit it on the page of the ticket when it is done. Its text is sent to the customer.

Customer: {{tenant}}
Priority: {{priority}} ({{priority_en}})
{{?rca_owner}}Responsible: {{rca_owner}}
{{?rca_due}}Due: {{rca_due}}

Open the ticket: {{url}}
'),
('rca_overdue', 'zh', '[{{number}}] 根因分析已逾期：{{title}}', '工单 {{number}}「{{title}}」的根因分析已逾期。

客户：{{tenant}}
优先级：{{priority}}（{{priority_zh}}）
{{?rca_owner}}负责人：{{rca_owner}}
{{?rca_due}}完成期限：{{rca_due}}

打开工单：{{url}}
'),
('rca_overdue', 'en', '[{{number}}] Root-cause analysis overdue: {{title}}', 'The root-cause analysis of ticket {{number}}, "{{title}}", is overdue.

Customer: {{tenant}}
Priority: {{priority}} ({{priority_en}})
{{?rca_owner}}Responsible: {{rca_owner}}
{{?rca_due}}Due: {{rca_due}}

Open the ticket: {{url}}
'),
('rca_reminder', 'zh', '[{{number}}] 根因分析即将到期：{{title}}', '工单 {{number}}「{{title}}」的根因分析尚未完成。

客户：{{tenant}}
优先级：{{priority}}（{{priority_zh}}）
{{?rca_owner}}负责人：{{rca_owner}}
{{?rca_due}}完成期限：{{rca_due}}

打开工单：{{url}}
'),
('rca_reminder', 'en', '[{{number}}] Root-cause analysis due soon: {{title}}', 'The root-cause analysis of ticket {{number}}, "{{title}}", is not done yet.

Customer: {{tenant}}
Priority: {{priority}} ({{priority_en}})
{{?rca_owner}}Responsible: {{rca_owner}}
{{?rca_due}}Due: {{rca_due}}

Open the ticket: {{url}}
'),
('report_done', 'zh', '[{{number}}] 事件报告：{{title}}', '{{name}}，您好：

{{actor}}完成了工单 {{number}}「{{title}}」的事件报告。

{{?quote}}{{quote}}

查看工单：{{url}}
'),
('report_done', 'en', '[{{number}}] Incident report: {{title}}', 'Hello {{name}},

{{actor}} has finished the incident report for ticket {{number}}, "{{title}}".

{{?quote}}{{quote}}

Open the ticket: {{url}}
'),
('report_due', 'zh', '[{{number}}] 事件报告到期：{{title}}', '工单 {{number}}「{{title}}」的事件报告已到期。

客户：{{tenant}}
优先级：{{priority}}（{{priority_zh}}）
{{?engineer}}工程师：{{engineer}}
{{!engineer}}工程师：尚未分派

打开工单：{{url}}
'),
('report_due', 'en', '[{{number}}] Incident report due: {{title}}', 'The incident report for ticket {{number}}, "{{title}}", is due.

Customer: {{tenant}}
Priority: {{priority}} ({{priority_en}})
{{?engineer}}Engineer: {{engineer}}
{{!engineer}}Engineer: nobody yet

Open the ticket: {{url}}
'),
('rollup_wrong', 'zh', '[数据质量] {{of}} 的统计数字有误，已改正', '核对了 {{tickets}} 个工单：{{wrong}} 个此前计数有误，{{wrong_rows}} 行统计有误，均已重新统计。
重新统计后仍有误的行：{{left_wrong}}。
'),
('rollup_wrong', 'en', '[data quality] Dashboard numbers of {{of}} were wrong and have been corrected', '{{tickets}} tickets were recounted. {{wrong}} of them had been counted wrong, and {{wrong_rows}} rollup rows were wrong. All of them have been counted again.
Rows that are still wrong: {{left_wrong}}.
'),
('sla_breach', 'zh', '[SLA 违约] [{{number}}] {{clock_zh}}已超时：{{title}}', '工单 {{number}}「{{title}}」的{{clock_zh}}时限已违约。

客户：{{tenant}}
优先级：{{priority}}（{{priority_zh}}）
{{?target}}时限：{{target}}
{{?due}}截止：{{due}}
{{?late}}已超时：{{late}}
{{?engineer}}工程师：{{engineer}}
{{!engineer}}工程师：尚未分派

{{begun}}打开工单：{{url}}
'),
('sla_breach', 'en', '[SLA breach] [{{number}}] Late {{clock}}: {{title}}', 'The deadline of the {{clock}} of ticket {{number}}, "{{title}}", has been missed.

Customer: {{tenant}}
Priority: {{priority}} ({{priority_en}})
{{?target}}Target: {{target}}
{{?due}}Due: {{due}}
{{?late}}Late by: {{late}}
{{?engineer}}Engineer: {{engineer}}
{{!engineer}}Engineer: nobody yet

{{begun}}Open the ticket: {{url}}
'),
('sla_breach_customer', 'zh', '[{{number}}] 服务时限未达成：{{title}}', '{{name}}，您好：

很抱歉，工单 {{number}}「{{title}}」的{{clock_zh}}没有在承诺的时限内完成。

{{?target}}承诺时限：{{target}}
{{?due}}截止：{{due}}
{{?late}}已超时：{{late}}
{{?engineer}}负责工程师：{{engineer}}

{{begun}}{{help}}查看工单：{{url}}
'),
('sla_breach_customer', 'en', '[{{number}}] We have missed a deadline: {{title}}', 'Hello {{name}},

We are sorry. We have missed the deadline of the {{clock}} of ticket {{number}}, "{{title}}".

{{?target}}Promised within: {{target}}
{{?due}}Due: {{due}}
{{?late}}Late by: {{late}}
{{?engineer}}Engineer: {{engineer}}

{{begun}}{{help}}Open the ticket: {{url}}
'),
('sla_ladder', 'zh', '[升级 {{threshold}}] [{{number}}] {{title}}', '工单 {{number}}「{{title}}」没有进展，已升级至 {{threshold}}。

客户：{{tenant}}
优先级：{{priority}}（{{priority_zh}}）
状态：{{status_zh}}
{{?engineer}}工程师：{{engineer}}
{{!engineer}}工程师：尚未分派

{{?description}}客户的描述：
{{description}}

打开工单：{{url}}
'),
('sla_ladder', 'en', '[Escalated {{threshold}}] [{{number}}] {{title}}', 'Ticket {{number}}, "{{title}}", has made no progress and has been escalated to {{threshold}}.

Customer: {{tenant}}
Priority: {{priority}} ({{priority_en}})
Status: {{status_en}}
{{?engineer}}Engineer: {{engineer}}
{{!engineer}}Engineer: nobody yet

{{?description}}What the customer wrote:
{{description}}

Open the ticket: {{url}}
'),
('sla_warning', 'zh', '[SLA {{threshold}}] [{{number}}] {{clock_zh}}时限将至：{{title}}', '工单 {{number}}「{{title}}」的{{clock_zh}}时限{{reached}}。

客户：{{tenant}}
优先级：{{priority}}（{{priority_zh}}）
{{?target}}时限：{{target}}
{{?due}}截止：{{due}}
{{?left}}剩余时间：{{left}}
{{?late}}已超时：{{late}}
{{?engineer}}工程师：{{engineer}}
{{!engineer}}工程师：尚未分派

打开工单：{{url}}
'),
('sla_warning', 'en', '[SLA {{threshold}}] [{{number}}] Deadline of the {{clock}} is near: {{title}}', 'The deadline of the {{clock}} of ticket {{number}}, "{{title}}", is near: {{reached}}.

Customer: {{tenant}}
Priority: {{priority}} ({{priority_en}})
{{?target}}Target: {{target}}
{{?due}}Due: {{due}}
{{?left}}Time left: {{left}}
{{?late}}Late by: {{late}}
{{?engineer}}Engineer: {{engineer}}
{{!engineer}}Engineer: nobody yet

Open the ticket: {{url}}
'),
('sla_differs', 'zh', '[数据质量] {{of}} 的 SLA 时钟与工单历史不符', '核对了 {{tickets}} 个工单的时钟：{{differences}} 个工单存储的时钟与由其历史重新计算的结果不符。系统没有改动任何数据。
工单列表：sladesk sla differences，或 GET /api/v1/sla/differences。

请将列表交给运维人员或技术支持。
'),
('sla_differs', 'en', '[data quality] SLA clocks of {{of}} differ from the history of their tickets', 'The clocks of {{tickets}} tickets were checked. Those of {{differences}} tickets are not what their history gives. Nothing was changed.
The tickets: sladesk sla differences, or GET /api/v1/sla/differences.

Please give the list to whoever operates this installation, or to support.
'),
('source_differs', 'zh', '[数据一致性] {{of}} 的工单与源系统不一致', '源系统有 {{theirs}} 个工单，本系统有 {{ours}} 个；不一致 {{differing}} 个，已修复 {{repaired}} 个，仍不一致 {{left_over}} 个。
修复期间相关统计数字标记为核对中。详情见 GET /api/v1/data-quality/sources。
'),
('source_differs', 'en', '[data consistency] Tickets of {{of}} differ from the source system', 'The source system has {{theirs}} tickets, and this system had {{ours}}. {{differing}} tickets differed, {{repaired}} have been repaired, and {{left_over}} still differ.
The dashboard numbers were marked during the repair. For details, see GET /api/v1/data-quality/sources.
'),
('ticket_assigned', 'zh', '[{{number}}] 工单已分配给您：{{title}}', '{{actor}}把工单 {{number}} 分配给了您。

客户：{{tenant}}
{{?requester}}提交人：{{requester}}
优先级：{{priority}}（{{priority_zh}}）
状态：{{status_zh}}
{{?response_due}}首次响应截止：{{response_due}}

{{?description}}客户的描述：
{{description}}

打开工单：{{url}}
'),
('ticket_assigned', 'en', '[{{number}}] Assigned to you: {{title}}', '{{actor}} assigned ticket {{number}} to you.

Customer: {{tenant}}
{{?requester}}Opened by: {{requester}}
Priority: {{priority}} ({{priority_en}})
Status: {{status_en}}
{{?response_due}}First response due: {{response_due}}

{{?description}}What the customer wrote:
{{description}}

Open the ticket: {{url}}
'),
('ticket_close_reminder', 'zh', '[{{number}}] 请确认是否已解决：{{title}}', '{{name}}，您好：

工单 {{number}}「{{title}}」已经解决，还在等待您确认。如果没有您的消息，工单即将自动关闭。

{{?engineer}}负责工程师：{{engineer}}

确认或重新打开：{{url}}
'),
('ticket_close_reminder', 'en', '[{{number}}] Please confirm that it is resolved: {{title}}', 'Hello {{name}},

Ticket {{number}}, "{{title}}", is resolved and waits for your confirmation. If we do not hear from you, it will soon be closed.

{{?engineer}}Engineer: {{engineer}}

Confirm or reopen: {{url}}
'),
('ticket_contacted', 'zh', '[{{number}}] 与您的联系记录：{{title}}', '{{name}}，您好：

{{actor}}在工单 {{number}}「{{title}}」中记录了与您的一次联系。

{{?contact_at}}联系时间：{{contact_at}}

{{?quote}}记录的内容：
{{quote}}

如果没有这次联系，或者内容不符，请在工单中提出异议。

查看工单：{{url}}
'),
('ticket_contacted', 'en', '[{{number}}] Record of a contact with you: {{title}}', 'Hello {{name}},

{{actor}} recorded a contact with you in ticket {{number}}, "{{title}}".

{{?contact_at}}Time of the contact: {{contact_at}}

{{?quote}}What was recorded:
{{quote}}

If this contact did not take place, or went otherwise, please dispute it in the ticket.

Open the ticket: {{url}}
'),
('ticket_created', 'zh', '[{{number}}] 已收到您的工单：{{title}}', '{{name}}，您好：

我们已收到您的工单 {{number}}「{{title}}」，会尽快安排工程师处理。

优先级：{{priority}}（{{priority_zh}}）
{{?response_due}}首次响应：不晚于 {{response_due}}

{{?description}}工单内容：
{{description}}

查看工单：{{url}}
'),
('ticket_created', 'en', '[{{number}}] We have received your ticket: {{title}}', 'Hello {{name}},

We have received your ticket {{number}}, "{{title}}". An engineer will look at it as soon as possible.

Priority: {{priority}} ({{priority_en}})
{{?response_due}}First response: by {{response_due}}

{{?description}}What the ticket says:
{{description}}

Open the ticket: {{url}}
'),
('ticket_customer_reply', 'zh', '[{{number}}] 客户回复：{{title}}', '{{actor}}（{{tenant}}）回复了工单 {{number}}「{{title}}」：

{{quote}}

优先级：{{priority}}（{{priority_zh}}）
状态：{{status_zh}}

查看并回复：{{url}}
'),
('ticket_customer_reply', 'en', '[{{number}}] Customer reply: {{title}}', '{{actor}} ({{tenant}}) replied to ticket {{number}}, "{{title}}":

{{quote}}

Priority: {{priority}} ({{priority_en}})
Status: {{status_en}}

Read and answer: {{url}}
'),
('ticket_escalated', 'zh', '[{{number}}] 工单已升级至 L{{level}}：{{title}}', '{{actor}}把工单 {{number}}「{{title}}」升级至 L{{level}}。

客户：{{tenant}}
优先级：{{priority}}（{{priority_zh}}）
状态：{{status_zh}}
{{?engineer}}工程师：{{engineer}}
{{!engineer}}工程师：尚未分派

{{?quote}}原因：
{{quote}}

打开工单：{{url}}
'),
('ticket_escalated', 'en', '[{{number}}] Escalated to L{{level}}: {{title}}', '{{actor}} has escalated ticket {{number}}, "{{title}}", to L{{level}}.

Customer: {{tenant}}
Priority: {{priority}} ({{priority_en}})
Status: {{status_en}}
{{?engineer}}Engineer: {{engineer}}
{{!engineer}}Engineer: nobody yet

{{?quote}}The reason:
{{quote}}

Open the ticket: {{url}}
'),
('ticket_escalation', 'zh', '[{{number}}] 请求升级：{{title}}', '{{actor}}请求升级工单 {{number}}「{{title}}」：

{{quote}}

客户：{{tenant}}
优先级：{{priority}}（{{priority_zh}}）
状态：{{status_zh}}
{{?engineer}}工程师：{{engineer}}
{{!engineer}}工程师：尚未分派

打开工单：{{url}}
'),
('ticket_escalation', 'en', '[{{number}}] Escalation requested: {{title}}', '{{actor}} requests the escalation of ticket {{number}}, "{{title}}":

{{quote}}

Customer: {{tenant}}
Priority: {{priority}} ({{priority_en}})
Status: {{status_en}}
{{?engineer}}Engineer: {{engineer}}
{{!engineer}}Engineer: nobody yet

Open the ticket: {{url}}
'),
('ticket_mitigated', 'zh', '[{{number}}] 影响已消除：{{title}}', '{{name}}，您好：

工单 {{number}}「{{title}}」对您业务的影响已经消除。{{actor}}会继续查找并消除根本原因。

{{?quote}}{{actor}}的说明：
{{quote}}

如果您仍然受到影响，请立即在工单中回复。

查看工单：{{url}}
'),
('ticket_mitigated', 'en', '[{{number}}] The impact has ended: {{title}}', 'Hello {{name}},

The impact of ticket {{number}}, "{{title}}", on your business has ended. {{actor}} goes on to find and remove the cause.

{{?quote}}{{actor}} wrote:
{{quote}}

If you are still affected, please reply in the ticket at once.

Open the ticket: {{url}}
'),
('ticket_new_staff', 'zh', '[{{number}}] 新工单 {{priority}}：{{title}}', '客户 {{tenant}} 提交了新工单 {{number}}。

{{?requester}}提交人：{{requester}}
优先级：{{priority}}（{{priority_zh}}）
{{?response_due}}首次响应截止：{{response_due}}

{{?description}}客户的描述：
{{description}}

打开工单：{{url}}
'),
('ticket_new_staff', 'en', '[{{number}}] New {{priority}} ticket: {{title}}', '{{tenant}} opened ticket {{number}}.

{{?requester}}Opened by: {{requester}}
Priority: {{priority}} ({{priority_en}})
{{?response_due}}First response due: {{response_due}}

{{?description}}What the customer wrote:
{{description}}

Open the ticket: {{url}}
'),
('ticket_priority', 'zh', '[{{number}}] 优先级调整为 {{priority}}：{{title}}', '{{name}}，您好：

{{actor}}把工单 {{number}}「{{title}}」的优先级调整为 {{priority}}（{{priority_zh}}），时限随之按新的优先级计算。

{{?response_due}}首次响应：不晚于 {{response_due}}

{{?quote}}原因：
{{quote}}

查看工单：{{url}}
'),
('ticket_priority', 'en', '[{{number}}] Priority is now {{priority}}: {{title}}', 'Hello {{name}},

{{actor}} has set the priority of ticket {{number}}, "{{title}}", to {{priority}} ({{priority_en}}). The deadlines now follow this priority.

{{?response_due}}First response: by {{response_due}}

{{?quote}}The reason:
{{quote}}

Open the ticket: {{url}}
'),
('ticket_rebound', 'zh', '[{{number}}] 已改用现行 SLA 策略：{{title}}', '{{actor}}让工单 {{number}}「{{title}}」改用现行的 SLA 策略与日历，截止时间已重新计算。

{{?quote}}原因：
{{quote}}

打开工单：{{url}}
'),
('ticket_rebound', 'en', '[{{number}}] SLA policy updated: {{title}}', '{{actor}} has bound ticket {{number}}, "{{title}}", to the SLA policy and calendar in force. Its deadlines have been recalculated.

{{?quote}}The reason:
{{quote}}

Open the ticket: {{url}}
'),
('ticket_rated', 'zh', '[{{number}}] 客户评分 {{score}}：{{title}}', '{{name}}，您好：

{{actor}}为工单 {{number}}「{{title}}」评分：{{score}}（满分 5）。
{{?engineer}}负责工程师：{{engineer}}

{{?quote}}评语：
{{quote}}

查看工单：{{url}}
'),
('ticket_rated', 'en', '[{{number}}] Rated {{score}}: {{title}}', 'Hello {{name}},

{{actor}} has rated ticket {{number}}, "{{title}}": {{score}} of 5.
{{?engineer}}Engineer: {{engineer}}

{{?quote}}The comment:
{{quote}}

Open the ticket: {{url}}
'),
('ticket_reopened', 'zh', '[{{number}}] 已重新打开：{{title}}', '{{name}}，您好：

{{actor}}重新打开了工单 {{number}}「{{title}}」，处理将继续进行。

优先级：{{priority}}（{{priority_zh}}）
{{?engineer}}负责工程师：{{engineer}}
{{!engineer}}负责工程师：尚未分派
{{?left}}解决时限：{{due}}（剩余 {{left}}）
{{?late}}解决时限：{{due}}（已过）

{{?quote}}原因：
{{quote}}

查看工单：{{url}}
'),
('ticket_reopened', 'en', '[{{number}}] Reopened: {{title}}', 'Hello {{name}},

{{actor}} has reopened ticket {{number}}, "{{title}}". The work on it goes on.

Priority: {{priority}} ({{priority_en}})
{{?engineer}}Engineer: {{engineer}}
{{!engineer}}Engineer: nobody yet
{{?left}}Resolution due: {{due}} ({{left}} left)
{{?late}}Resolution due: {{due}} (past)

{{?quote}}The reason:
{{quote}}

Open the ticket: {{url}}
'),
('ticket_reply', 'zh', '[{{number}}] 新回复：{{title}}', '{{name}}，您好：

{{actor}}回复了工单 {{number}}「{{title}}」：

{{quote}}

查看并回复：{{url}}
'),
('ticket_reply', 'en', '[{{number}}] New reply: {{title}}', 'Hello {{name}},

{{actor}} replied to ticket {{number}}, "{{title}}":

{{quote}}

Read and answer: {{url}}
'),
('ticket_resolved', 'zh', '[{{number}}] 已解决，请确认：{{title}}', '{{name}}，您好：

{{actor}}认为工单 {{number}}「{{title}}」已经解决。

{{?quote}}{{actor}}的说明：
{{quote}}

{{?root_cause}}根本原因：
{{root_cause}}

{{?solution}}解决办法：
{{solution}}

{{?prevention}}预防措施：
{{prevention}}

请打开工单确认，并为这次服务评分。如果问题仍然存在，请重新打开工单。

确认或重新打开：{{url}}
'),
('ticket_resolved', 'en', '[{{number}}] Resolved, please confirm: {{title}}', 'Hello {{name}},

{{actor}} considers ticket {{number}}, "{{title}}", resolved.

{{?quote}}{{actor}} wrote:
{{quote}}

{{?root_cause}}Root cause:
{{root_cause}}

{{?solution}}Solution:
{{solution}}

{{?prevention}}Prevention:
{{prevention}}

Please open the ticket to confirm this and to rate our service. If the problem is still there, reopen the ticket.

Confirm or reopen: {{url}}
'),
('ticket_status', 'zh', '[{{number}}] {{status_zh}}：{{title}}', '{{name}}，您好：

工单 {{number}}「{{title}}」的状态现为：{{status_zh}}。

{{?engineer}}负责工程师：{{engineer}}
{{?wake}}恢复处理的时间：{{wake}}

{{?quote}}{{actor}}的说明：
{{quote}}

查看工单：{{url}}
'),
('ticket_status', 'en', '[{{number}}] Status {{status_en}}: {{title}}', 'Hello {{name}},

The status of ticket {{number}}, "{{title}}", is now: {{status_en}}.

{{?engineer}}Engineer: {{engineer}}
{{?wake}}Work goes on: {{wake}}

{{?quote}}{{actor}} wrote:
{{quote}}

Open the ticket: {{url}}
'),
('ticket_waiting', 'zh', '[{{number}}] 等待您的回复：{{title}}', '{{name}}，您好：

工单 {{number}}「{{title}}」需要您的回复才能继续处理。{{actor}}写道：

{{quote}}

查看并回复：{{url}}
'),
('ticket_waiting', 'en', '[{{number}}] Waiting for your reply: {{title}}', 'Hello {{name}},

The work on ticket {{number}}, "{{title}}", needs your reply to go on. {{actor}} wrote:

{{quote}}

Read and answer: {{url}}
'),
('ticket_window', 'zh', '[{{number}}] 维护窗口不计入时限：{{title}}', '按合同约定，下面的维护时间不计入工单 {{number}}「{{title}}」的时限。

{{?window}}维护时间：{{window}}

{{?quote}}原因：
{{quote}}

查看工单：{{url}}
'),
('ticket_window', 'en', '[{{number}}] Maintenance window excluded: {{title}}', 'As agreed in the contract, the maintenance window below does not count towards the deadlines of ticket {{number}}, "{{title}}".

{{?window}}Maintenance window: {{window}}

{{?quote}}The reason:
{{quote}}

Open the ticket: {{url}}
'),
('webhook_off', 'zh', '[{{tenant}}] webhook 已停用：{{of}}', '接收地址 {{of}} 返回 410（Gone），表示不再接收推送，因此我们已停用这个 webhook。
尚未送达的推送不会再发送。

如需恢复，请在接收端恢复正常后重新启用该 webhook，并重新发送未送达的推送。
'),
('webhook_off', 'en', '[{{tenant}}] Webhook switched off: {{of}}', 'The receiver {{of}} replied 410 (Gone), which says that it wants no further deliveries. We have switched this webhook off.
Events that have not been delivered are no longer sent.

To resume, repair the receiver, switch the webhook on again, and replay the deliveries that failed.
')
) as n(code, lang, subject, body)
on conflict (tenant_id, code, lang) do update set
  subject = case when (t.subject, t.body) = (t.shipped_subject, t.shipped_body) then excluded.subject else t.subject end,
  body = case when (t.subject, t.body) = (t.shipped_subject, t.shipped_body) then excluded.body else t.body end,
  shipped = case when (t.subject, t.body) = (t.shipped_subject, t.shipped_body) then excluded.shipped else t.shipped end,
  shipped_subject = excluded.shipped_subject, shipped_body = excluded.shipped_body
where (t.shipped_subject, t.shipped_body) <> (excluded.shipped_subject, excluded.shipped_body);
