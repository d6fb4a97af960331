/* SPDX-License-Identifier: Apache-2.0 */
#include "sso_vendor.h"
#include "base/claim.h"

static const struct sso_vendor vendors[] = {
	{ .name = "wecom",
		.authorization_endpoint = "https://login.work.weixin.qq.com/wwlogin/sso/login",
		.token_endpoint = "https://qyapi.weixin.qq.com/cgi-bin/gettoken",
		.userinfo_endpoint = "https://qyapi.weixin.qq.com/cgi-bin/auth/getuserinfo",
		.profile_endpoint = "https://qyapi.weixin.qq.com/cgi-bin/user/get",
		.client_param = "appid",
		.authorize_more = "login_type=CorpApp",
		.code_param = "code",
		.tokens = VENDOR_QUERY,
		.id_field = "corpid",
		.secret_field = "corpsecret",
		.token_field = "access_token",
		.error_field = "errcode",
		.subject_field = "userid",
		.email_field = "biz_mail",
		.name_field = "name" },
	{ .name = "dingtalk",
		.authorization_endpoint = "https://login.dingtalk.com/oauth2/auth",
		.token_endpoint = "https://api.dingtalk.com/v1.0/oauth2/userAccessToken",
		.userinfo_endpoint = "https://api.dingtalk.com/v1.0/contact/users/me",
		.client_param = "client_id",
		.authorize_more = "prompt=consent",
		.scope = "openid corpid",
		.code_param = "authCode",
		.tokens = VENDOR_BODY,
		.id_field = "clientId",
		.secret_field = "clientSecret",
		.grant_field = "grantType",
		.token_field = "accessToken",
		.token_header = "x-acs-dingtalk-access-token: %s",
		.subject_field = "unionId",
		.email_field = "email",
		.name_field = "nick",
		.enterprise_field = "corpId",
		.enterprise_at = ENTERPRISE_IN_TOKEN,
		.enterprise_required = true },
	{ .name = "feishu",
		.authorization_endpoint =
			"https://accounts.feishu.cn/open-apis/authen/v1/authorize",
		.token_endpoint = "https://open.feishu.cn/open-apis/authen/v2/oauth/token",
		.userinfo_endpoint = "https://open.feishu.cn/open-apis/authen/v1/user_info",
		.client_param = "client_id",
		.code_param = "code",
		.pkce = true,
		.tokens = VENDOR_BODY,
		.id_field = "client_id",
		.secret_field = "client_secret",
		.grant_field = "grant_type",
		.token_field = "access_token",
		.token_header = "Authorization: Bearer %s",
		.error_field = "code",
		.data_field = "data",
		.subject_field = "union_id",
		.email_field = "enterprise_email",
		.name_field = "name",
		.enterprise_field = "tenant_key",
		.enterprise_at = ENTERPRISE_IN_USERINFO },
};

const struct sso_vendor *sso_vendor_find(const char *name)
{
	for (size_t i = 0; name && i < ARRAY_LEN(vendors); i++)
		if (strcmp(vendors[i].name, name) == 0)
			return &vendors[i];
	return NULL;
}

struct json_object *sso_vendor_data(const struct sso_vendor *v, struct json_object *answer)
{
	struct json_object *data;
	struct claim result = { 0 };

	if (v->error_field)
		result = claim_read(answer, CLAIM_RESULT, v->error_field);
	if (!json_object_is_type(answer, json_type_object) || result.state == CLAIM_WRONG ||
		result.number)
		return NULL;
	if (!v->data_field || !json_object_object_get_ex(answer, v->data_field, &data))
		return answer;
	return json_object_is_type(data, json_type_object) ? data : NULL;
}

static void add_member(struct buf *b, const char *key, const char *value)
{
	if (!key || !value)
		return;
	buf_addf(b, "%s\"%s\":", b->n > 1 ? "," : "", key);
	buf_add_json(b, value, strlen(value));
}

void sso_vendor_ask_token(const struct sso_vendor *v, const char *client_id, const char *secret,
	const char *code, const char *verifier, const char *redirect, struct buf *url,
	struct buf *body)
{
	if (v->tokens == VENDOR_QUERY) {
		buf_addf(url, "?%s=", v->id_field);
		buf_add_url(url, client_id, strlen(client_id));
		buf_addf(url, "&%s=", v->secret_field);
		buf_add_url(url, secret, strlen(secret));
		return;
	}
	buf_addc(body, '{');
	add_member(body, v->grant_field, "authorization_code");
	add_member(body, v->id_field, client_id);
	add_member(body, v->secret_field, secret);
	add_member(body, "code", code);
	if (v->pkce) {
		add_member(body, "redirect_uri", redirect);
		add_member(body, "code_verifier", verifier);
	}
	buf_addc(body, '}');
}
