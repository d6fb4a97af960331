/* SPDX-License-Identifier: Apache-2.0
 * A login with a customer's identity provider, by OpenID Connect or plain OAuth 2.0: what its two
 * halves share. sso_begin.c sends the browser to the provider, sso.c receives it back. */
#ifndef SLADESK_FEATURE_SSO_LOGIN_H
#define SLADESK_FEATURE_SSO_LOGIN_H

#include "core/flow.h"
#include "saml.h"
#include "sso.h"
#include "sso_vendor.h"

#define SSO_CALLBACK "/api/v1/auth/sso/callback"

struct sso {
	struct sso_identity who; /* must be first: sso_enter takes it over */
	struct flow flow;
	int64_t login_id, version;
	enum { OIDC, OAUTH2, SAML } kind;
	bool retried;
	const char *client_id, *secret, *nonce, *verifier, *code, *id_token, *access_token,
		*userinfo; /* userinfo: its address */
	struct json_object *claims;
	const struct sso_vendor *vendor; /* of OAUTH2: a vendor with its own protocol */
	char state[65], sha256[65];
};

/* The struct sso of a request, zeroed; the request frees what it will hold. */
struct sso *sso_login_new(struct req *req) MUST_USE;
/* Read a provider from these columns of row 0. False if it is not complete. */
bool sso_login_read(
	struct req *req, struct sso *x, const PGresult *rows, int kind, int client, int settings);
/* A setting of the provider, or NULL. */
const char *sso_login_setting(const struct sso *x, const char *key);
/* The configured endpoint KEY, or the vendor's default. */
const char *sso_login_endpoint(const struct sso *x, const char *key);
/* Append KEY=VALUE, encoded, with an & unless it is the first after a question mark. */
void sso_login_add_param(struct buf *b, const char *key, const char *value);

#endif
