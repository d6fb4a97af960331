/* SPDX-License-Identifier: Apache-2.0
 * Logins of WeCom, DingTalk and Feishu, which deviate from OAuth 2.0. A table describes the
 * deviations after the vendors' public API descriptions (developer.work.weixin.qq.com
 * "扫码授权登录", open.dingtalk.com "获取用户 token", open.feishu.cn "获取 user_access_token"). The
 * provider's own settings take precedence. */
#ifndef SLADESK_FEATURE_SSO_VENDOR_H
#define SLADESK_FEATURE_SSO_VENDOR_H

#include "base/base.h"

struct json_object;

struct sso_vendor {
	const char *name;
	const char *authorization_endpoint, *token_endpoint, *userinfo_endpoint,
		*profile_endpoint; /* asked for name and mail address of the subject; or NULL */
	const char *client_param, *authorize_more, *scope;
	const char *code_param; /* the name of the code in the callback */
	bool pkce;
	enum {
		VENDOR_BODY,
		VENDOR_QUERY
	} tokens; /* POST of JSON, or GET with the secret in the query */
	const char *id_field, *secret_field,
		*grant_field;     /* names of the members of a token request */
	const char *token_field;  /* the member of the response that holds the token */
	const char *token_header; /* the header that carries the token, with one %s; NULL: in the
				     query, with the code */
	const char *error_field;  /* 0 means success; NULL: the HTTP status decides */
	const char *data_field;   /* the member that holds the data; NULL: the response itself */
	const char *subject_field, *email_field, *name_field;
	const char *enterprise_field; /* compared with the setting corp_id */
	enum sso_enterprise_at {
		ENTERPRISE_NOWHERE,
		ENTERPRISE_IN_TOKEN,
		ENTERPRISE_IN_USERINFO
	} enterprise_at;
	bool enterprise_required; /* without corp_id, nobody logs in */
};

/* The vendor of this name; NULL if there is none. */
const struct sso_vendor *sso_vendor_find(const char *name);
/* The data in ANSWER; NULL if it reports an error. */
struct json_object *sso_vendor_data(const struct sso_vendor *v, struct json_object *answer);
/* The token request: as JSON into BODY or, for VENDOR_QUERY, as a query after the endpoint into
 * URL. */
void sso_vendor_ask_token(const struct sso_vendor *v, const char *client_id, const char *secret,
	const char *code, const char *verifier, const char *redirect, struct buf *url,
	struct buf *body);

#endif
