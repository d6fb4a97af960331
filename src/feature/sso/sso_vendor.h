/* SPDX-License-Identifier: Apache-2.0
 * Log-ins of WeCom, DingTalk and Feishu: OAuth 2.0 in their own ways. A table of what each does
 * otherwise, after their public API descriptions (developer.work.weixin.qq.com "扫码授权登录",
 * open.dingtalk.com "获取用户 token", open.feishu.cn "获取 user_access_token"); the provider's own
 * settings come before. */
#ifndef SLADESK_FEATURE_SSO_VENDOR_H
#define SLADESK_FEATURE_SSO_VENDOR_H

#include "base/base.h"

struct json_object;

struct sso_vendor {
	const char *name;
	const char *authorization_endpoint, *token_endpoint, *userinfo_endpoint,
		*profile_endpoint; /* asked with the subject for name and address; or NULL */
	const char *client_param, *authorize_more, *scope;
	const char *code_param; /* what the code is called when it comes back */
	bool pkce;
	enum { VENDOR_BODY, VENDOR_QUERY } tokens; /* POST of JSON, or GET with the secret in it */
	const char *id_field, *secret_field, *grant_field; /* of what asks for a token */
	const char *token_field;                           /* where it is in the answer */
	const char
		*token_header; /* what brings it: with one %s; NULL: in the query, with the code */
	const char *error_field; /* 0 when all is well; NULL: the HTTP status says so */
	const char *data_field;  /* where the answer's data is; NULL: it is the answer */
	const char *subject_field, *email_field, *name_field;
};

/* By name; NULL: there is none. */
const struct sso_vendor *sso_vendor_find(const char *name);
/* ANSWER's data; NULL: it says that something is wrong. */
struct json_object *sso_vendor_data(const struct sso_vendor *v, struct json_object *answer);
/* What asks for a token, as JSON into BODY; or, VENDOR_QUERY, the query into URL behind the
 * endpoint. */
void sso_vendor_ask_token(const struct sso_vendor *v, const char *client_id, const char *secret,
	const char *code, const char *verifier, const char *redirect, struct buf *url,
	struct buf *body);

#endif
