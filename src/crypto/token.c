/* SPDX-License-Identifier: Apache-2.0
 * Access tokens. The algorithm and the key come from our side only; the token's header is checked
 * against them before anything else. */
#include "crypto/crypto.h"
#include "base/json.h"

#include <cjose/cjose.h>
#include <stdio.h>
#include <stdlib.h>

#define ISSUER "sladesk"
#define AUDIENCE "sladesk-api"

static cjose_jwk_t *key;
static char *key_id;

bool token_key_load(const char *jwk, size_t n)
{
	cjose_err err;
	cjose_jwk_t *k = cjose_jwk_import(jwk, n, &err);
	const char *kid = k ? cjose_jwk_get_kid(k, &err) : NULL;

	if (!k || cjose_jwk_get_kty(k, &err) != CJOSE_JWK_KTY_EC || !kid) {
		cjose_jwk_release(k);
		return false;
	}
	token_key_free();
	key = k;
	key_id = xstrdup(kid);
	return true;
}

char *token_key_generate(void)
{
	cjose_err err;
	cjose_jwk_t *k = cjose_jwk_create_EC_random(CJOSE_JWK_EC_P_256, &err);
	char kid[33], *json, *out;

	bug_on(!k);
	crypto_random_hex(kid, 16);
	cjose_jwk_set_kid(k, kid, 32, &err);
	json = cjose_jwk_to_json(k, true, &err);
	bug_on(!json);
	out = xstrdup(json);
	cjose_get_dealloc()(json);
	cjose_jwk_release(k);
	return out;
}

void token_key_free(void)
{
	cjose_jwk_release(key);
	free(key_id);
	key = NULL;
	key_id = NULL;
}

char *token_sign(const struct token_claims *c, int64_t now_s)
{
	cjose_err err;
	cjose_header_t *h = cjose_header_new(&err);
	char *claims =
		xasprintf("{\"iss\":\"" ISSUER "\",\"aud\":\"" AUDIENCE
			  "\",\"tid\":%lld,\"sid\":%lld,\"iat\":%lld,\"nbf\":%lld,\"exp\":%lld}",
			(long long)c->tenant_id, (long long)c->session_id, (long long)now_s,
			(long long)now_s - 1, (long long)c->expires_s);
	const char *compact = NULL;
	cjose_jws_t *jws;
	char *out;

	bug_on(!key || !h);
	cjose_header_set(h, CJOSE_HDR_ALG, CJOSE_HDR_ALG_ES256, &err);
	cjose_header_set(h, CJOSE_HDR_KID, key_id, &err);
	cjose_header_set(h, "typ", "at+jwt", &err);
	jws = cjose_jws_sign(key, h, (const uint8_t *)claims, strlen(claims), &err);
	bug_on(!jws || !cjose_jws_export(jws, &compact, &err));
	out = xstrdup(compact);
	cjose_jws_release(jws);
	cjose_header_release(h);
	free(claims);
	return out;
}

static bool header_is_ours(cjose_jws_t *jws)
{
	cjose_err err;
	cjose_header_t *h = cjose_jws_get_protected(jws);
	const char *alg = cjose_header_get(h, CJOSE_HDR_ALG, &err),
		   *kid = cjose_header_get(h, CJOSE_HDR_KID, &err),
		   *typ = cjose_header_get(h, "typ", &err);

	return alg && strcmp(alg, "ES256") == 0 && kid && strcmp(kid, key_id) == 0 && typ &&
	       strcmp(typ, "at+jwt") == 0;
}

static bool claims_hold(const char *p, size_t n, int64_t now_s, struct token_claims *out)
{
	struct json_error err;
	struct json_object *o = json_read(p, n, &err);
	const char *iss = json_get_string(o, "iss"), *aud = json_get_string(o, "aud");
	bool ok = iss && strcmp(iss, ISSUER) == 0 && aud && strcmp(aud, AUDIENCE) == 0;

	*out = (struct token_claims){ json_get_int(o, "tid", 0), json_get_int(o, "sid", 0),
		json_get_int(o, "exp", 0) };
	ok = ok && out->tenant_id > 0 && out->session_id > 0 && out->expires_s > now_s &&
	     json_get_int(o, "nbf", INT64_MAX) <= now_s + 5;
	json_object_put(o);
	return ok;
}

bool token_verify(const char *p, size_t n, int64_t now_s, struct token_claims *out)
{
	cjose_err err;
	cjose_jws_t *jws;
	uint8_t *plain = NULL;
	size_t plain_n = 0;
	bool ok;

	/* Compact form only: three parts of base64url, nothing else. */
	if (!key || n < 20 || n > 4096 || memchr(p, '{', n))
		return false;
	jws = cjose_jws_import(p, n, &err);
	if (!jws)
		return false;
	ok = header_is_ours(jws) && cjose_jws_verify(jws, key, &err) &&
	     cjose_jws_get_plaintext(jws, &plain, &plain_n, &err) &&
	     claims_hold((const char *)plain, plain_n, now_s, out);
	cjose_jws_release(jws);
	return ok;
}
