/* SPDX-License-Identifier: Apache-2.0 */
#include "sso.h"
#include "sql_gen.h"

const struct route sso_routes[] = {
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
	{ 0 },
};
