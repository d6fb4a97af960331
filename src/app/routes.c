/* SPDX-License-Identifier: Apache-2.0
 * Every endpoint, on one screen: the security review happens here. Doors (PERM_ANYONE): login,
 * health, documents, the page, the feed's handshake (which authenticates by its first frame). */
#include "app.h"
#include "feature/audit/audit.h"
#include "feature/dashboard/dashboard.h"
#include "feature/export/export.h"
#include "feature/identity/identity.h"
#include "feature/integration/integration.h"
#include "feature/live/live.h"
#include "feature/notify/notify.h"
#include "feature/policy/policy.h"
#include "feature/portal/portal.h"
#include "feature/selftest/selftest.h"
#include "feature/sso/sso.h"
#include "feature/ticket/ticket.h"
#include "flow_gen.h"
#include "sql_gen.h"
#include "ticket/ticket.h"

#define ACT(name, command)                                                                         \
	{                                                                                          \
		HTTP_POST, "/api/v1/tickets/{id}/" name, PERM_TICKET_WRITE, .flow = ticket_act,    \
									    .argument = command    \
	}

#define CLIENT_ACT(name, command)                                                                  \
	{                                                                                          \
		HTTP_POST, "/api/v1/client/tickets/{id}/" name, PERM_TICKET_WRITE,                 \
			.flow = ticket_act, .argument = command                                    \
	}

/* A supervisor's word. */
#define JUDGE(name, command)                                                                       \
	{                                                                                          \
		HTTP_POST, "/api/v1/tickets/{id}/" name, PERM_TICKET_JUDGE, .flow = ticket_act,    \
									    .argument = command    \
	}

#define TICKET_FIELDS                                                                              \
	"title* description* priority service_type source impact_scope impact urgency factors "    \
	"tags "                                                                                    \
	"category department project contract cost_centre region office external_id tenant_id "    \
	"requester_id"

#define TOKENS "access_token text, refresh_token text, token_type text, expires_in integer"

const struct route app_routes[] = {
	{ HTTP_GET, "/", PERM_ANYONE, .file = "index.html" },
	{ HTTP_GET, "/app.js", PERM_ANYONE, .file = "app.js" },
	{ HTTP_GET, "/account.js", PERM_ANYONE, .file = "account.js" },
	{ HTTP_GET, "/words.js", PERM_ANYONE, .file = "words.js" },
	{ HTTP_GET, "/numbers.js", PERM_ANYONE, .file = "numbers.js" },
	{ HTTP_GET, "/theme.js", PERM_ANYONE, .file = "theme.js" },
	{ HTTP_GET, "/export.js", PERM_ANYONE, .file = "export.js" },
	{ HTTP_GET, "/app.css", PERM_ANYONE, .file = "app.css" },
	{ HTTP_GET, "/favicon.svg", PERM_ANYONE, .file = "favicon.svg" },
	{ HTTP_GET, "/docs", PERM_ANYONE, .file = "docs.html" },
	{ HTTP_GET, "/docs.js", PERM_ANYONE, .file = "docs.js" },
	{ HTTP_GET, "/openapi.json", PERM_ANYONE, .flow = openapi,
		.about = "this interface, as OpenAPI 3.1",
		.about_zh = "本接口的 OpenAPI 3.1 描述" },
	{ HTTP_GET, "/healthz", PERM_ANYONE, .flow = healthz,
		.about = "200 while the process lives", .about_zh = "进程存活时为 200" },
	{ HTTP_GET, "/readyz", PERM_ANYONE, .flow = readyz,
		.about = "each dependency with its state and age; 503 while not ready",
		.about_zh = "各依赖的状态与时长;未就绪时为 503" },
	{ HTTP_GET, "/metrics", PERM_ANYONE, .flow = metrics_page, .about = "Prometheus text",
		.about_zh = "Prometheus 指标" },

	{ HTTP_GET, "/api/v1/status", PERM_ANYONE, .flow = service_status,
		.about = "is anything limited now? The words of a banner",
		.about_zh = "当前是否降级,以及受限的功能",
		.reply = "degraded boolean, limited object" },
	{ HTTP_GET, "/.well-known/jwks.json", PERM_ANYONE, .flow = jwks,
		.about = "the public keys of access tokens (JWK Set)",
		.about_zh = "访问令牌的公钥(JWK Set)" },

	{ HTTP_POST, "/api/v1/auth/login", PERM_ANYONE, .flow = login, .limit = LIMIT_LOGIN,
		.about = "log in; staff without tenant, customers with theirs; cookies: true puts "
			 "the "
			 "tokens into cookies no script can read",
		.about_zh =
			"登录;员工不填租户,客户填写所属租户;cookies: true 时令牌写入脚本不可读的 "
			"Cookie",
		.reply = TOKENS ", user_info object",
		.fields = "username* password* tenant cookies device_token" },
	{ HTTP_POST, "/api/v1/client/auth/login", PERM_ANYONE, .flow = login, .limit = LIMIT_LOGIN,
		.about = "log in", .about_zh = "登录", .reply = TOKENS ", user_info object",
		.fields = "username* password* tenant_id cookies device_token" },
	{ HTTP_POST, "/api/v1/client/login", PERM_ANYONE, .flow = login, .limit = LIMIT_LOGIN,
		.about = "log in", .about_zh = "登录", .reply = TOKENS ", user_info object",
		.fields = "username* password* tenant_id cookies device_token" },
	{ HTTP_POST, "/api/v1/auth/refresh", PERM_ANYONE, .flow = session_refresh,
		.about = "new tokens for a refresh token, of the body or the cookie, which is good "
			 "once",
		.about_zh = "以请求体或 Cookie 中的续期凭证换取新令牌,凭证仅可使用一次",
		.reply = TOKENS, .fields = "refresh_token" },
	{ HTTP_POST, "/api/v1/auth/logout", PERM_SELF, .flow = logout, .about = "end this session",
		.about_zh = "结束本次会话", .reply = "ended integer, location text" },
	{ HTTP_POST, "/api/v1/auth/logout-everywhere", PERM_SELF, .flow = logout_everywhere,
		.about = "end all my sessions", .about_zh = "结束我的全部会话",
		.reply = "ended integer" },
	{ HTTP_GET, "/api/v1/auth/sessions", PERM_SELF, .flow = session_list,
		.about = "my sessions: where and since when", .about_zh = "我的会话:地点与时间",
		.reply = "items object" },
	{ HTTP_DELETE, "/api/v1/auth/sessions/{id}", PERM_SELF, .flow = session_revoke,
		.about = "end one of my sessions", .about_zh = "结束我的某个会话",
		.reply = "ended integer" },
	{ HTTP_POST, "/api/v1/auth/second-factor", PERM_ANYONE, .flow = second_factor,
		.limit = LIMIT_LOGIN,
		.about =
			"the second factor of a log-in: totp, recovery, mail or sms; trust_device: "
			"none for 30 "
			"days here",
		.about_zh = "登录的第二因素:totp、recovery、mail 或 sms;trust_device 表示本设备 30 "
			    "天内免验",
		.reply = TOKENS ", user_info object, device_token text",
		.fields = "step_token* code* method trust_device cookies" },
	{ HTTP_POST, "/api/v1/auth/second-factor/mail", PERM_ANYONE, .flow = second_factor_mail,
		.limit = LIMIT_LOGIN, .about = "a code by mail, three at most a log-in",
		.about_zh = "以邮件发送验证码,每次登录最多三次", .fields = "step_token*" },
	{ HTTP_POST, "/api/v1/auth/second-factor/sms", PERM_ANYONE, .flow = second_factor_sms,
		.limit = LIMIT_LOGIN,
		.about = "a code to one's phone, three codes at most a log-in",
		.about_zh = "以短信发送验证码,每次登录最多三次", .fields = "step_token*" },
	{ HTTP_POST, "/api/v1/auth/link", PERM_ANYONE, .flow = link_ask, .limit = LIMIT_LOGIN,
		.about = "log in by a mailed link, if anybody has this name; answered alike",
		.about_zh = "以邮件链接登录;无论用户是否存在,应答相同",
		.fields = "username* tenant" },
	{ HTTP_POST, "/api/v1/auth/link/use", PERM_ANYONE, .flow = link_use, .limit = LIMIT_LOGIN,
		.about = "the mailed link, in place of the password: once, within 15 minutes",
		.about_zh = "使用邮件中的登录链接:15 分钟内一次有效",
		.reply = TOKENS ", user_info object", .fields = "token* cookies" },
	{ HTTP_POST, "/api/v1/auth/passkey/options", PERM_ANYONE, .flow = passkey_options,
		.about = "what navigator.credentials.get() wants to sign in with a passkey",
		.about_zh = "以通行密钥登录所需的参数",
		.reply = "challenge_token text, challenge text, rpId text, timeout integer, "
			 "userVerification text, "
			 "allowCredentials object" },
	{ HTTP_POST, "/api/v1/auth/passkey", PERM_ANYONE, .flow = passkey_login,
		.limit = LIMIT_LOGIN,
		.about = "sign in with a passkey: a fingerprint, a face, a security key; all bytes "
			 "base64url",
		.about_zh = "以通行密钥(指纹、面容或安全密钥)登录;二进制均为 base64url",
		.reply = TOKENS ", user_info object",
		.fields = "challenge_token* credential_id* client_data* authenticator_data* "
			  "signature* cookies" },
	{ HTTP_POST, "/api/v1/auth/factors/passkey/options", PERM_SELF, .flow = passkey_new_options,
		.about = "what navigator.credentials.create() wants to make a passkey",
		.about_zh = "新建通行密钥所需的参数",
		.reply = "challenge_token text, challenge text, rp object, user object, "
			 "pubKeyCredParams object" },
	{ HTTP_POST, "/api/v1/auth/factors/passkey", PERM_SELF, .flow = passkey_new,
		.about = "keep a passkey; all bytes base64url",
		.about_zh = "保存通行密钥;二进制均为 base64url", .reply = "factor_id bigint",
		.fields = "challenge_token* credential_id* client_data* authenticator_data* "
			  "public_key* name" },
	{ HTTP_GET, "/api/v1/auth/sso/start", PERM_ANYONE, .flow = sso_start, .limit = LIMIT_LOGIN,
		.about = "to a customer's own log-in (a redirect); next: where on the page to land",
		.about_zh = "前往客户自己的登录服务(重定向);next 为登录后的落点",
		.query = "tenant provider next" },
	{ HTTP_POST, "/api/v1/auth/sso/discover", PERM_ANYONE, .flow = sso_discover,
		.limit = LIMIT_LOGIN,
		.about = "which log-in a mail address belongs to, by its domain",
		.about_zh = "按邮箱域名判断使用哪个登录服务", .reply = "sso boolean, location text",
		.fields = "email*" },
	{ HTTP_GET, "/api/v1/auth/sso/callback", PERM_ANYONE, .flow = sso_callback,
		.limit = LIMIT_LOGIN, .about = "where an identity provider sends a browser back",
		.about_zh = "身份提供方的回调地址", .query = "code state error iss session_state" },
	{ HTTP_POST, "/api/v1/auth/sso/backchannel/{tenant_id}/{provider_id}", PERM_ANYONE,
		.flow = sso_backchannel, .form = true,
		.about = "an identity provider ends what it began (OpenID Connect Back-Channel "
			 "Logout; a form)",
		.about_zh = "身份提供方的后端登出(表单)" },
	{ HTTP_POST, "/api/v1/auth/sso/acs", PERM_ANYONE, .flow = saml_acs, .form = true,
		.limit = LIMIT_LOGIN, .about = "where a SAML provider posts its Response (a form)",
		.about_zh = "SAML 断言消费地址(表单)" },
	{ HTTP_POST, "/api/v1/auth/sso/slo/{tenant_id}/{provider_id}", PERM_ANYONE,
		.flow = saml_slo, .form = true,
		.about = "a SAML provider ends a session: a signed LogoutRequest (a form)",
		.about_zh = "SAML 单点登出(表单)" },
	{ HTTP_GET, "/api/v1/auth/sso/slo/{tenant_id}/{provider_id}", PERM_ANYONE,
		.flow = saml_slo_back, .query = "SAMLResponse RelayState SigAlg Signature",
		.about = "back from a SAML provider where one was logged out, too",
		.about_zh = "从 SAML 提供方登出后返回" },
	{ HTTP_GET, "/api/v1/auth/sso/saml-metadata/{tenant_id}/{provider_id}", PERM_ANYONE,
		.flow = saml_metadata, .about = "our SAML metadata",
		.about_zh = "SAML 服务方元数据" },
	{ HTTP_GET, "/api/v1/client/admin/identity-providers", PERM_USER_READ,
		.sql = &sql_sso_provider_list, .sensitive = true },
	{ HTTP_POST, "/api/v1/client/admin/identity-providers", PERM_USER_WRITE,
		.flow = sso_provider_put,
		.about = "our own log-in: OpenID Connect, or OAuth 2.0 by userinfo",
		.about_zh = "配置企业登录:OpenID Connect 或 OAuth 2.0",
		.reply = "provider_id bigint, version bigint, redirect_uri text, "
			 "backchannel_logout_uri text",
		.fields = "kind* name* client_id* client_secret issuer authorization_endpoint "
			  "token_endpoint userinfo_endpoint "
			  "scopes role_attribute role_map email_domains create_users trust_email "
			  "subject_field email_field "
			  "name_field token_auth certificate logout_endpoint profile_endpoint "
			  "vendor agent_id active" },
	{ HTTP_PUT, "/api/v1/client/admin/identity-providers/{provider_id}", PERM_USER_WRITE,
		.flow = sso_provider_put, .about = "change it; a secret that is not given stays",
		.about_zh = "修改企业登录;未填的密钥保持不变",
		.reply = "provider_id bigint, version bigint, redirect_uri text, "
			 "backchannel_logout_uri text",
		.fields = "kind* name* client_id* client_secret issuer authorization_endpoint "
			  "token_endpoint userinfo_endpoint "
			  "scopes role_attribute role_map email_domains create_users trust_email "
			  "subject_field email_field "
			  "name_field token_auth certificate logout_endpoint profile_endpoint "
			  "vendor agent_id active" },
	{ HTTP_DELETE, "/api/v1/client/admin/identity-providers/{provider_id}", PERM_USER_WRITE,
		.sql = &sql_sso_provider_remove },
	{ HTTP_GET, "/api/v1/auth/factors", PERM_SELF, .flow = factor_list,
		.about = "my second factors, and how many recovery codes are left",
		.about_zh = "我的第二因素与剩余恢复码数",
		.reply = "recovery_codes_left bigint, items object" },
	{ HTTP_POST, "/api/v1/auth/factors/totp", PERM_SELF, .flow = factor_totp_new,
		.about = "a time code app: scan the QR code, then confirm",
		.about_zh = "添加验证码应用:扫描二维码后确认",
		.reply = "factor_id bigint, secret text, uri text, qr_svg text", .fields = "name" },
	{ HTTP_POST, "/api/v1/auth/factors/{factor_id}/confirm", PERM_SELF, .flow = factor_confirm,
		.about = "the app's first code; answers ten recovery codes, shown once",
		.about_zh = "输入应用的首个验证码;返回十个恢复码,仅显示一次",
		.reply = "recovery_codes object", .fields = "code*" },
	{ HTTP_POST, "/api/v1/auth/factors/{factor_id}/remove", PERM_SELF, .flow = factor_remove,
		.about = "take a factor away, by the password", .about_zh = "凭密码移除第二因素",
		.fields = "password*" },
	{ HTTP_POST, "/api/v1/auth/recovery-codes", PERM_SELF, .flow = factor_codes,
		.about = "ten new recovery codes instead of those there are",
		.about_zh = "重新生成十个恢复码,原有的作废", .reply = "recovery_codes object" },
	{ HTTP_POST, "/api/v1/auth/password/forgot", PERM_ANYONE, .flow = password_forgot,
		.limit = LIMIT_LOGIN,
		.about = "a mail with a link, if anybody has this name; answered alike",
		.about_zh = "如该用户存在,将收到带链接的邮件;无论是否存在,应答相同",
		.fields = "username* tenant" },
	{ HTTP_POST, "/api/v1/auth/password/reset", PERM_ANYONE, .flow = password_reset,
		.limit = LIMIT_LOGIN,
		.about = "a new password by the mailed token; all sessions end, a lock is lifted",
		.about_zh = "凭邮件中的令牌设置新密码;全部会话终止,锁定解除",
		.fields = "token* new_password*" },
	{ HTTP_POST, "/api/v1/auth/password", PERM_SELF, .flow = password_change,
		.about = "change my password; my other sessions end",
		.about_zh = "修改密码;其他会话随之结束", .fields = "old_password* new_password*" },
	{ HTTP_GET, "/api/v1/auth/permissions", PERM_SELF, .flow = permissions_get,
		.about = "what I may, by resource, and which part of the tickets",
		.about_zh = "我的权限(按资源)与数据范围",
		.reply = "user_id bigint, tenant_id bigint, role_type text, permissions object, "
			 "data_scope object" },
	{ HTTP_GET, "/api/v1/client/auth/permissions", PERM_SELF, .flow = permissions_get,
		.about = "what I may, by resource, and which part of the tickets",
		.about_zh = "我的权限(按资源)与数据范围",
		.reply = "user_id bigint, tenant_id bigint, role_type text, permissions object, "
			 "data_scope object" },
	{ HTTP_GET, "/api/v1/client/theme/{tenant_id}", PERM_ANYONE, .flow = theme_get,
		.know = true,
		.about = "how a customer's portal looks and how one logs in there: by number, by "
			 "code, or \"host\" for the one whose host name was asked",
		.about_zh = "客户门户的外观与登录方式:按编号、代码,或以 host 表示当前域名所属客户",
		.reply = "tenant_id bigint, name text, logo_url text, primary_color text, "
			 "accent_color text, support_contact text, login_methods object" },
	{ HTTP_PUT, "/api/v1/client/theme", PERM_USER_WRITE, .only = ONLY_CUSTOMER,
		.flow = theme_put, .contract = &contract_portal_theme_put },
	{ HTTP_PUT, "/api/v1/client/theme/logo", PERM_USER_WRITE, .flow = logo_put,
		.about =
			"upload the logo of one's own portal: PNG, JPEG or WebP of at most 64 KiB, "
			"in base64; it comes before logo_url",
		.about_zh = "上传本租户门户的标志:PNG、JPEG 或 WebP,不超过 64 KiB,base64;优先于 "
			    "logo_url",
		.fields = "logo*" },
	{ HTTP_DELETE, "/api/v1/client/theme/logo", PERM_USER_WRITE, .flow = logo_delete,
		.about = "remove the uploaded logo", .about_zh = "移除已上传的标志" },
	{ HTTP_GET, "/api/v1/client/theme/{tenant_id}/logo", PERM_ANYONE, .flow = logo_get,
		.know = true, .about = "the uploaded logo, an image",
		.about_zh = "已上传的标志(图像)", .query = "v" },
	{ HTTP_POST, "/api/v1/client/export/data", PERM_REPORT_EXPORT, .flow = export_post,
		.about = "write tickets into a file: a job; excel gives a CSV that Excel opens",
		.about_zh = "导出工单为文件(任务);excel 生成 Excel 可打开的 CSV",
		.reply = "export_id text, status text, estimated_records bigint, estimated_size "
			 "text, estimated_time bigint, download_url text, expires_at timestamptz",
		.fields = "export_type format parameters options" },
	{ HTTP_GET, "/api/v1/client/export/data", PERM_REPORT_EXPORT, .sql = &sql_export_list },
	{ HTTP_GET, "/api/v1/client/export/data/{export_id}", PERM_REPORT_EXPORT,
		.flow = export_get, .about = "how far it is, and where its file is",
		.about_zh = "导出任务的进度与下载地址",
		.reply =
			"export_id text, export_type text, format text, status text, records "
			"bigint, estimated_records bigint, size_bytes bigint, file_id bigint, "
			"error text, error_text text, created_at timestamptz, done_at timestamptz, "
			"expires_at "
			"timestamptz, download_url text" },
	{ HTTP_GET, "/api/v1/client/files/download/{file_id}", PERM_REPORT_EXPORT,
		.flow = file_download, .sensitive = true, .query = "token",
		.about = "the file, as bytes", .about_zh = "下载文件" },
	{ HTTP_GET, "/api/v1/client/preferences", PERM_SELF, .sql = &sql_client_preferences_get },
	{ HTTP_PUT, "/api/v1/client/preferences", PERM_SELF, .flow = preferences_put,
		.about = "set what I like; lang is also the language of my mails",
		.about_zh = "保存偏好;lang 同时决定邮件语言", .fields = "preferences*" },
	{ HTTP_GET, "/api/v1/client/dashboard/config", PERM_DASHBOARD_READ,
		.sql = &sql_dashboard_list },
	{ HTTP_POST, "/api/v1/client/dashboard/config", PERM_DASHBOARD_READ, .flow = dashboard_put,
		.about = "make a dashboard of mine", .about_zh = "新建仪表板",
		.reply = "config_id bigint, version bigint",
		.fields = "dashboard_name* layout_config* is_default is_shared" },
	{ HTTP_GET, "/api/v1/client/dashboard/config/{config_id}", PERM_DASHBOARD_READ,
		.sql = &sql_dashboard_get },
	{ HTTP_PUT, "/api/v1/client/dashboard/config/{config_id}", PERM_DASHBOARD_READ,
		.flow = dashboard_put, .about = "change a dashboard of mine, under its version",
		.about_zh = "修改我的仪表板(按版本)", .reply = "config_id bigint, version bigint",
		.fields = "dashboard_name* layout_config* is_default is_shared version" },
	{ HTTP_DELETE, "/api/v1/client/dashboard/config/{config_id}", PERM_DASHBOARD_READ,
		.sql = &sql_dashboard_remove },
	{ HTTP_GET, "/api/v1/client/tickets", PERM_TICKET_READ, .sql = &sql_ticket_list,
		.variant = { "sort", "urgent", &sql_ticket_list_urgent } },
	{ HTTP_POST, "/api/v1/client/tickets", PERM_TICKET_WRITE, .flow = ticket_create,
		.argument = CMD_CREATE, .fields = TICKET_FIELDS },
	{ HTTP_GET, "/api/v1/client/tickets/{id}", PERM_TICKET_READ, .sql = &sql_ticket_get },
	{ HTTP_GET, "/api/v1/client/tickets/{id}/clocks", PERM_TICKET_READ,
		.sql = &sql_ticket_clocks },
	{ HTTP_GET, "/api/v1/client/tickets/{id}/comments", PERM_TICKET_READ,
		.sql = &sql_ticket_comments },
	CLIENT_ACT("reply", CMD_REPLY),
	CLIENT_ACT("confirm-resolution", CMD_CONFIRM_RESOLUTION),
	CLIENT_ACT("reopen", CMD_REOPEN),
	CLIENT_ACT("escalate", CMD_ESCALATE),
	CLIENT_ACT("rate", CMD_RATE),
	{ HTTP_GET, "/api/v1/client/dashboard/overview", PERM_DASHBOARD_READ, .flow = overview_get,
		.about = "a period's numbers beside those of the one before, day by day, and what "
			 "is "
			 "about to be missed",
		.about_zh = "一段时间的数据、与上一段的对比、逐日趋势及即将超时的工单",
		.query = "period refresh tenant_id",
		.reply = "summary object, previous object, period object, trends object, masked "
			 "object, alerts object, data_quality text, last_updated timestamptz" },
	{ HTTP_GET, "/api/v1/client/sla/compliance", PERM_SLA_READ, .flow = compliance_get,
		.about = "how well the promises were kept, by group, and the latest violations",
		.about_zh = "按分组统计的 SLA 达成率与最近的违约",
		.query = "period service_type group_by tenant_id",
		.reply = "period object, overall_compliance double precision, violations object, "
			 "last_updated timestamptz" },
	{ HTTP_GET, "/api/v1/client/workspace", PERM_SELF, .sql = &sql_client_workspace },
	{ HTTP_GET, "/api/v1/client/dashboard/metrics", PERM_DASHBOARD_READ,
		.flow = dashboard_metrics, .about = "what a widget can show",
		.about_zh = "组件可选的指标目录", .reply = "items object" },
	{ HTTP_GET, "/api/v1/client/dashboard/data", PERM_DASHBOARD_READ, .flow = dashboard_data,
		.about = "many widgets in one answer", .about_zh = "一次取回多个组件的数据",
		.query = "widgets period refresh tenant_id",
		.reply = "period object, masked object, widgets object, last_updated timestamptz" },
	{ HTTP_GET, "/api/v1/client/sla/clocks", PERM_SLA_READ, .sql = &sql_client_clocks },
	{ HTTP_GET, "/api/v1/client/alerts", PERM_DASHBOARD_READ, .sql = &sql_client_alerts },
	{ HTTP_GET, "/api/v1/sla/metrics", PERM_STAFF, .flow = sla_metrics,
		.about = "attainment of every customer one serves",
		.about_zh = "所服务各客户的 SLA 达成情况", .query = "period",
		.reply = "period object, tenants object, total_tickets bigint, decided_tickets "
			 "bigint, "
			 "violated_tickets bigint, overall_compliance double precision" },
	{ HTTP_GET, "/api/v1/sla/config", PERM_STAFF, .sql = &sql_sla_config_list },
	{ HTTP_GET, "/api/v1/client/users/{tenant_id}", PERM_USER_READ, .flow = integration_users,
		.about = "a customer's people, for a service token",
		.about_zh = "供其他模块查询客户用户(服务令牌)", .query = "cursor",
		.reply = "users object, next_cursor text", .sensitive = true },
	{ HTTP_GET, "/api/v1/client/reports/summary/{tenant_id}", PERM_REPORT_READ,
		.flow = report_summary, .about = "a period's numbers, for a service token",
		.about_zh = "供其他模块查询报表摘要(服务令牌)", .query = "period format",
		.reply = "summary object, previous object, period object, trends object, masked "
			 "object, generated_at timestamptz, last_updated timestamptz" },
	{ HTTP_POST, "/api/v1/integration/tickets/sync", PERM_TICKET_WRITE, .flow = tickets_sync,
		.about =
			"messages of a system that leads tickets: one, or events: up to 1000; each "
			"once, in the order of its own time",
		.about_zh = "主系统的工单消息:单条,或 events 列表(最多 1000 "
			    "条);按各自时间顺序、各生效一次",
		.reply = "received integer, applied integer, duplicate integer, outdated integer, "
			 "invalid "
			 "integer, refused integer, failed integer, results object",
		.fields = "events event_type event_id tenant_id ticket_id status priority "
			  "assigned_to "
			  "resolved_at customer_satisfaction timestamp created_at updated_at title "
			  "description service_type" },
	{ HTTP_POST, "/api/v1/integration/customers/sync", PERM_USER_WRITE, .flow = customers_sync,
		.about = "customers with their contracts and contacts, as their leading system has "
			 "them; the same twice "
			 "changes nothing",
		.about_zh = "客户、合同与联系人同步(幂等),未能接收的列入拒收清单",
		.reply = "received integer, taken integer, created integer, changed integer, "
			 "rejected object",
		.fields = "customers*" },
	{ HTTP_GET, "/api/v1/integration/customers/rejects", PERM_STAFF,
		.sql = &sql_customer_rejects },
	{ HTTP_GET, "/api/v1/data-quality", PERM_STAFF, .sql = &sql_rollup_check_list },
	{ HTTP_GET, "/api/v1/data-quality/sources", PERM_STAFF, .sql = &sql_reconcile_list },
	{ HTTP_GET, "/api/v1/customers", PERM_STAFF, .sql = &sql_customer_list },
	{ HTTP_GET, "/api/v1/customers/{tenant_id}/contacts", PERM_STAFF,
		.sql = &sql_customer_contacts, .sensitive = true },
	{ HTTP_GET, "/api/v1/integration/sla/metrics", PERM_SLA_READ, .flow = integration_sla,
		.about = "attainment between two dates; times in minutes and _seconds",
		.about_zh = "两个日期之间的 SLA 指标;时长以分钟计,另附秒",
		.query = "tenant_id service_type date_range metrics",
		.reply = "tenant_id bigint, date_range object, metrics object" },
	{ HTTP_GET, "/api/v1/integration/health", PERM_SELF, .flow = integration_health,
		.about = "each module: healthy, degraded or down; 503 when the whole is down",
		.about_zh = "各模块健康状态", .reply = "status text, modules object" },
	{ HTTP_GET, "/api/v1/audit", PERM_AUDIT_READ, .sql = &sql_audit_list, .sensitive = true },
	{ HTTP_GET, "/api/v1/client/audit", PERM_AUDIT_READ, .sql = &sql_audit_list,
		.sensitive = true },
	{ HTTP_GET, "/api/v1/audit/export", PERM_AUDIT_READ, .flow = audit_export,
		.sensitive = true,
		.about = "the audit log as CSV, at most 10,000 rows; X-Next-Cursor names the rest",
		.about_zh = "审计日志 CSV 导出,每次最多 10000 行;X-Next-Cursor 指向后续",
		.query = "cursor username operation result from to tenant_id" },
	{ HTTP_GET, "/api/v1/client/audit/export", PERM_AUDIT_READ, .flow = audit_export,
		.sensitive = true,
		.about = "the audit log as CSV, at most 10,000 rows; X-Next-Cursor names the rest",
		.about_zh = "审计日志 CSV 导出,每次最多 10000 行;X-Next-Cursor 指向后续",
		.query = "cursor username operation result from to tenant_id" },
	{ HTTP_GET, "/api/v1/client/admin/users", PERM_USER_READ, .sql = &sql_user_list,
		.sensitive = true },
	{ HTTP_POST, "/api/v1/client/admin/users", PERM_USER_WRITE, .flow = user_new,
		.about = "invite somebody; the first password must be changed",
		.about_zh = "新增用户;首次登录须修改密码", .reply = "user_id bigint",
		.fields = "username* password* full_name* email* phone lang role_type department "
			  "project contract cost_centre region office" },
	{ HTTP_GET, "/api/v1/client/admin/users/{user_id}", PERM_USER_READ, .sql = &sql_user_get,
		.sensitive = true },
	{ HTTP_PUT, "/api/v1/client/admin/users/{user_id}", PERM_USER_WRITE, .flow = user_set,
		.about = "change somebody; a change of rights ends the sessions and is told",
		.about_zh = "修改用户;权限变化将终止其会话并通知本人",
		.fields = "full_name email phone lang role_type is_active department project "
			  "contract cost_centre region office" },
	{ HTTP_GET, "/api/v1/client/admin/users/{user_id}/permissions", PERM_USER_READ,
		.sql = &sql_user_grants, .sensitive = true },
	{ HTTP_PUT, "/api/v1/client/admin/users/{user_id}/permissions", PERM_USER_WRITE,
		.flow = user_grants_put,
		.about = "grants and limits beyond the role, instead of those there are",
		.about_zh = "替换该用户在角色之外的授权与限制", .fields = "grants*" },
	{ HTTP_POST, "/api/v1/client/admin/users/{user_id}/reset-factors", PERM_USER_WRITE,
		.flow = factor_reset,
		.about = "somebody has lost the phone: all factors go, and it is told",
		.about_zh = "用户丢失设备:清除其全部第二因素并通知本人" },
	{ HTTP_GET, "/api/v1/client/admin/sign-in-alerts", PERM_USER_READ, .sql = &sql_user_alerts,
		.sensitive = true },
	{ HTTP_GET, "/api/v1/client/admin/security", PERM_USER_READ, .flow = security_get,
		.about = "must all our people have a second factor?",
		.about_zh = "本租户是否强制第二因素", .reply = "mfa_required boolean" },
	{ HTTP_PUT, "/api/v1/client/admin/security", PERM_USER_WRITE, .flow = security_put,
		.about = "whether all our people must have a second factor",
		.about_zh = "设置本租户是否强制第二因素", .reply = "mfa_required boolean",
		.fields = "mfa_required*" },
	{ HTTP_GET, "/api/v1/me", PERM_SELF, .flow = whoami, .about = "who I am and what I may",
		.about_zh = "当前身份与权限" },
	{ HTTP_GET, "/api/v1/live", PERM_ANYONE, .ws = &push_handler, .on_ws = push_open,
		.about = "the live feed (WebSocket)", .about_zh = "实时推送(WebSocket)" },

	{ HTTP_GET, "/api/v1/tickets", PERM_TICKET_READ, .sql = &sql_ticket_list,
		.variant = { "sort", "urgent", &sql_ticket_list_urgent } },
	{ HTTP_POST, "/api/v1/tickets", PERM_TICKET_WRITE, .flow = ticket_create,
		.argument = CMD_CREATE, .fields = TICKET_FIELDS },
	{ HTTP_GET, "/api/v1/tickets/{id}", PERM_TICKET_READ, .sql = &sql_ticket_get },
	{ HTTP_GET, "/api/v1/tickets/{id}/clocks", PERM_TICKET_READ, .sql = &sql_ticket_clocks },
	{ HTTP_GET, "/api/v1/tickets/{id}/comments", PERM_TICKET_READ,
		.sql = &sql_ticket_comments },
	{ HTTP_GET, "/api/v1/tickets/{id}/history", PERM_TICKET_READ, .sql = &sql_ticket_history },
	{ HTTP_GET, "/api/v1/tickets/{id}/notifications", PERM_STAFF, .sql = &sql_notify_list },
	{ HTTP_GET, "/api/v1/tickets/{id}/sla", PERM_TICKET_READ, .flow = ticket_explain,
		.about = "why each clock stands where it stands: its intervals in order",
		.about_zh = "逐段说明每个时钟的计时依据" },
	ACT("accept", CMD_ACCEPT),
	JUDGE("accept-contact", CMD_ACCEPT_CONTACT),
	JUDGE("approve-exclusion", CMD_APPROVE_EXCLUSION),
	ACT("assign", CMD_ASSIGN),
	ACT("cancel", CMD_CANCEL),
	ACT("category", CMD_CATEGORY),
	ACT("confirm", CMD_CONFIRM),
	ACT("confirm-priority", CMD_CONFIRM_PRIORITY),
	ACT("confirm-resolution", CMD_CONFIRM_RESOLUTION),
	ACT("contact", CMD_CONTACT),
	ACT("dispute-contact", CMD_DISPUTE_CONTACT),
	ACT("escalate", CMD_ESCALATE),
	JUDGE("exclude-window", CMD_EXCLUDE_WINDOW),
	ACT("link", CMD_LINK),
	ACT("merge", CMD_MERGE),
	ACT("mitigate", CMD_MITIGATE),
	ACT("monitor", CMD_MONITOR),
	ACT("note", CMD_NOTE),
	ACT("priority", CMD_PRIORITY),
	ACT("propose-exclusion", CMD_PROPOSE_EXCLUSION),
	JUDGE("rebind", CMD_REBIND),
	JUDGE("reject-exclusion", CMD_REJECT_EXCLUSION),
	ACT("rate", CMD_RATE),
	JUDGE("redact", CMD_REDACT),
	ACT("reopen", CMD_REOPEN),
	ACT("reply", CMD_REPLY),
	ACT("resolve", CMD_RESOLVE),
	ACT("resume", CMD_RESUME),
	ACT("rework", CMD_REWORK),
	ACT("schedule", CMD_SCHEDULE),
	ACT("tags", CMD_TAGS),
	ACT("wait-aws", CMD_WAIT_AWS),
	ACT("wait-customer", CMD_WAIT_CUSTOMER),
	JUDGE("waive", CMD_WAIVE),

	{ HTTP_GET, "/api/v1/catalogue", PERM_TICKET_READ, .sql = &sql_catalogue_list },
	{ HTTP_PUT, "/api/v1/catalogue/{kind}/{code}", PERM_CATALOGUE_WRITE,
		.sql = &sql_catalogue_put },
	{ HTTP_GET, "/api/v1/sla/policies", PERM_TICKET_READ, .sql = &sql_sla_policy_list },
	{ HTTP_PUT, "/api/v1/sla/policies/{code}", PERM_SLA_WRITE, .flow = policy_put,
		.about = "a new version of a policy; running tickets keep theirs",
		.about_zh = "新增策略版本;进行中的工单不受影响",
		.reply = "id bigint, code text, version bigint, changed boolean, "
			 "takes_over_running_tickets boolean",
		.fields = "document* calendar service_type effective_from tenant_id" },
	{ HTTP_POST, "/api/v1/sla/policies/preview", PERM_SLA_WRITE, .flow = policy_preview,
		.about = "what this policy would have meant for a customer's last days: their "
			 "tickets replayed; nothing is changed",
		.about_zh = "策略预览:以该策略重放客户近期工单,比较达成率,不作任何更改",
		.reply = "tenant_id bigint, days bigint, tickets bigint, complete boolean, was "
			 "object, would_have_been object",
		.fields = "document* tenant_id* calendar days service_type" },
	{ HTTP_GET, "/api/v1/sla/calendars", PERM_TICKET_READ, .sql = &sql_sla_calendar_list },
	{ HTTP_PUT, "/api/v1/sla/calendars/{code}", PERM_SLA_WRITE, .flow = calendar_put,
		.about = "a new version of a calendar; one that only adds future dates takes over "
			 "the running tickets",
		.about_zh = "新增日历版本;仅增加未来日期时,进行中的工单自动改用新版本",
		.reply = "id bigint, code text, version bigint, changed boolean, "
			 "takes_over_running_tickets boolean",
		.fields = "document* tenant_id" },
	{ HTTP_GET, "/api/v1/staff", PERM_STAFF, .sql = &sql_admin_staff_list },
	{ HTTP_GET, "/api/v1/tenants", PERM_TICKET_READ, .sql = &sql_admin_tenant_list },
	{ HTTP_GET, "/api/v1/webhooks", PERM_WEBHOOK_WRITE, .sql = &sql_admin_webhook_list },
	{ HTTP_POST, "/api/v1/webhooks", PERM_WEBHOOK_WRITE, .sql = &sql_admin_webhook_new,
		.replay = &sql_admin_webhook_get },
	{ HTTP_PUT, "/api/v1/webhooks/{id}", PERM_WEBHOOK_WRITE, .sql = &sql_admin_webhook_set },

	{ HTTP_GET, "/test/echo", PERM_ANYONE, .ws = &echo_handler, .on_ws = echo_open,
		.about = "test only: WebSocket echo" },
	{ HTTP_POST, "/test/sink", PERM_ANYONE, .flow = sink_done, .stream = sink_piece,
		.about = "test only: streamed upload" },
	{ HTTP_GET, "/test/flood", PERM_ANYONE, .flow = flood,
		.about = "test only: streamed download" },
	{ HTTP_GET, "/test/probe", PERM_ANYONE, .flow = probe_worker,
		.about = "test only: what a helper may do" },
};

const size_t app_route_count = ARRAY_LEN(app_routes);
