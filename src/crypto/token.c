/* SPDX-License-Identifier: Apache-2.0
 * Access tokens. Algorithm and keys come from our side only; the token's header is compared with
 * them before anything else. Keys change with an overlap: a new key signs once every instance has
 * read it, and an old key verifies until its last token has expired. */
#include "crypto/crypto.h"
#include "base/json.h"
#include "jws.h"

#include <cjose/cjose.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>

#define ISSUER "sladesk"
#define AUDIENCE "sladesk-api"

#define KEYS_MAX 8
#define SPREAD_S 600         /* until every instance has read a new key */
#define KEEP_S (2LL * 86400) /* longer than the maximum lifetime of a token */

struct key {
	cjose_jwk_t *jwk;
	char *kid;
	int64_t created_s;
};

static struct {
	struct key key[KEYS_MAX]; /* newest first */
	int n;
} ring;

/* --- keys --- */

static void key_free(struct key *k)
{
	cjose_jwk_release(k->jwk);
	free(k->kid);
}

void token_keys_free(void)
{
	while (ring.n)
		key_free(&ring.key[--ring.n]);
}

/* Refuse a key without its private part or of another curve now, not at the first login. */
static bool can_sign(const cjose_jwk_t *k)
{
	cjose_err err;
	cjose_header_t *h = cjose_header_new(&err);
	cjose_jws_t *jws = NULL;
	bool ok;

	if (h && cjose_jwk_EC_get_curve(k, &err) == CJOSE_JWK_EC_P_256 &&
		cjose_header_set(h, CJOSE_HDR_ALG, CJOSE_HDR_ALG_ES256, &err))
		jws = cjose_jws_sign(k, h, (const uint8_t *)"sladesk", 7, &err);
	ok = jws != NULL;
	cjose_jws_release(jws);
	cjose_header_release(h);
	return ok;
}

static bool read_key(struct json_object *o, struct key *out)
{
	cjose_err err;
	struct buf text = { 0 };
	const char *kid;

	json_write(&text, o);
	*out = (struct key){ .jwk = cjose_jwk_import(text.p, text.n, &err),
		.created_s = json_get_int(o, "created", 0) };
	OPENSSL_cleanse(text.p, text.n);
	buf_free(&text);
	kid = out->jwk ? cjose_jwk_get_kid(out->jwk, &err) : NULL;
	if (kid && cjose_jwk_get_kty(out->jwk, &err) == CJOSE_JWK_KTY_EC && can_sign(out->jwk)) {
		out->kid = xstrdup(kid);
		return true;
	}
	key_free(out);
	return false;
}

/* The keys of a set, or the single key that TEXT holds. The caller releases them. */
static struct json_object *key_list(const char *text, size_t n)
{
	struct json_error err;
	struct json_object *o = json_read(text, n, &err), *list = json_get(o, "keys");

	if (json_object_is_type(list, json_type_array)) {
		json_object_get(list);
		json_object_put(o);
		return list;
	}
	if (!o)
		return NULL;
	list = json_object_new_array();
	json_object_array_add(list, o);
	return list;
}

static int newest_first(const void *a, const void *b)
{
	const struct key *x = a, *y = b;

	return (x->created_s < y->created_s) - (x->created_s > y->created_s);
}

bool token_keys_load(const char *text, size_t n)
{
	struct json_object *list = key_list(text, n);
	size_t count = list ? json_object_array_length(list) : 0;
	struct key fresh[KEYS_MAX];
	int got = 0;

	while ((size_t)got < count && got < KEYS_MAX &&
		read_key(json_object_array_get_idx(list, (size_t)got), &fresh[got]))
		got++;
	json_object_put(list);
	if (!got || (size_t)got < count) {
		while (got)
			key_free(&fresh[--got]);
		return false;
	}
	token_keys_free();
	qsort(fresh, (size_t)got, sizeof(*fresh), newest_first);
	memcpy(ring.key, fresh, (size_t)got * sizeof(*fresh));
	ring.n = got;
	return true;
}

int64_t token_keys_newest_s(void)
{
	return ring.n ? ring.key[0].created_s : 0;
}

/* The newest key that every instance has read. */
static const struct key *signing_key(int64_t now_s)
{
	for (int i = 0; i < ring.n; i++)
		if (ring.key[i].created_s + SPREAD_S <= now_s)
			return &ring.key[i];
	return ring.n ? &ring.key[ring.n - 1] : NULL;
}

static void write_new_key(struct buf *b, int64_t created_s)
{
	cjose_err err;
	cjose_jwk_t *k = cjose_jwk_create_EC_random(CJOSE_JWK_EC_P_256, &err);
	char kid[33], *json;

	bug_on(!k);
	crypto_random_hex(kid, 16);
	cjose_jwk_set_kid(k, kid, 32, &err);
	json = cjose_jwk_to_json(k, true, &err);
	bug_on(!json || json[0] != '{');
	buf_addf(b, "{\"created\":%lld,%s", (long long)created_s, json + 1);
	OPENSSL_cleanse(json, strlen(json));
	cjose_get_dealloc()(json);
	cjose_jwk_release(k);
}

char *token_keys_rotate(const char *text, size_t n, int64_t now_s, bool at_once)
{
	struct json_object *list = text && !at_once ? key_list(text, n) : NULL;
	size_t count = list ? json_object_array_length(list) : 0;
	int64_t newer_s = now_s;
	struct buf b = { 0 };
	char *out;

	buf_adds(&b, "{\"keys\":[");
	write_new_key(&b, at_once || !count ? now_s - SPREAD_S : now_s);
	for (size_t i = 0; i < count && i < KEYS_MAX - 1; i++) { /* newest first, as written here */
		struct json_object *k = json_object_array_get_idx(list, i);

		if (newer_s + KEEP_S < now_s)
			break;
		buf_addc(&b, ',');
		json_write(&b, k);
		newer_s = json_get_int(k, "created", 0);
	}
	buf_adds(&b, "]}\n");
	json_object_put(list);
	out = buf_take(&b);
	return out;
}

void token_keys_public(struct buf *b)
{
	cjose_err err;

	buf_adds(b, "{\"keys\":[");
	for (int i = 0; i < ring.n; i++) {
		char *json = cjose_jwk_to_json(ring.key[i].jwk, false, &err);

		bug_on(!json || json[0] != '{');
		buf_addf(b, "%s{\"alg\":\"ES256\",\"use\":\"sig\",%s", i ? "," : "", json + 1);
		cjose_get_dealloc()(json);
	}
	buf_adds(b, "]}");
}

/* --- tokens --- */

static const char *const types[] = { [TOKEN_ACCESS] = "at+jwt",
	[TOKEN_RESET] = "reset+jwt",
	[TOKEN_STEP] = "step+jwt",
	[TOKEN_LINK] = "link+jwt",
	[TOKEN_ADDRESS] = "address+jwt",
	[TOKEN_CHALLENGE] = "challenge+jwt" };

char *token_sign(enum token_use use, const struct token_claims *c, int64_t now_s)
{
	cjose_err err;
	cjose_header_t *h = cjose_header_new(&err);
	char *claims =
		xasprintf("{\"iss\":\"" ISSUER "\",\"aud\":\"" AUDIENCE
			  "\",\"tid\":%lld,\"sid\":%lld,\"iat\":%lld,\"nbf\":%lld,\"exp\":%lld}",
			(long long)c->tenant_id, (long long)c->session_id, (long long)now_s,
			(long long)now_s - 1, (long long)c->expires_s);
	const struct key *key = signing_key(now_s);
	const char *compact = NULL;
	cjose_jws_t *jws;
	char *out;

	bug_on(!key || !h);
	cjose_header_set(h, CJOSE_HDR_ALG, CJOSE_HDR_ALG_ES256, &err);
	cjose_header_set(h, CJOSE_HDR_KID, key->kid, &err);
	cjose_header_set(h, "typ", types[use], &err);
	jws = cjose_jws_sign(key->jwk, h, (const uint8_t *)claims, strlen(claims), &err);
	bug_on(!jws || !cjose_jws_export(jws, &compact, &err));
	out = xstrdup(compact);
	cjose_jws_release(jws);
	cjose_header_release(h);
	free(claims);
	return out;
}

/* The key that the token's header names; NULL if the header is not of our form in any respect. */
static const struct key *key_of(cjose_jws_t *jws, enum token_use use)
{
	cjose_err err;
	cjose_header_t *h = cjose_jws_get_protected(jws);
	const char *alg = cjose_header_get(h, CJOSE_HDR_ALG, &err),
		   *kid = cjose_header_get(h, CJOSE_HDR_KID, &err),
		   *typ = cjose_header_get(h, "typ", &err);

	if (!alg || strcmp(alg, "ES256") != 0 || !kid || !typ || strcmp(typ, types[use]) != 0)
		return NULL;
	for (int i = 0; i < ring.n; i++)
		if (strcmp(kid, ring.key[i].kid) == 0)
			return &ring.key[i];
	return NULL;
}

static bool claims_hold(const char *p, size_t n, int64_t now_s, struct token_claims *out)
{
	struct json_error err;
	struct json_object *o = json_read(p, n, &err);
	const char *iss = json_get_string(o, "iss"), *aud = json_get_string(o, "aud");
	bool ok = iss && strcmp(iss, ISSUER) == 0 && aud && strcmp(aud, AUDIENCE) == 0;

	*out = (struct token_claims){ .tenant_id = json_get_int(o, "tid", 0),
		.session_id = json_get_int(o, "sid", 0),
		.expires_s = json_get_int(o, "exp", 0) };
	ok = ok && out->tenant_id > 0 && out->session_id > 0 && out->expires_s > now_s &&
	     json_get_int(o, "nbf", INT64_MAX) <= now_s + 5;
	json_object_put(o);
	return ok;
}

/* A key as eight bytes, with which objects that outlive a request can check later whether the key
 * is still valid. */
static uint64_t key_digest(const struct key *key)
{
	unsigned char d[32];
	uint64_t v;

	crypto_sha256(key->kid, strlen(key->kid), d);
	memcpy(&v, d, sizeof(v));
	return v;
}

bool token_key_is_ours(uint64_t key)
{
	for (int i = 0; i < ring.n; i++)
		if (key_digest(&ring.key[i]) == key)
			return true;
	return false;
}

/* A signature has exactly one text: 64 bytes are 86 characters, and only two bits of the last
 * character count. The library ignores the other four bits and anything that follows. */
static bool signature_is_canonical(const char *p, size_t n)
{
	const char *dot = memrchr(p, '.', n);

	return dot && (size_t)(p + n - dot) == 1 + 86 && strchr("AQgw", p[n - 1]) && p[n - 1];
}

bool token_verify(
	enum token_use use, const char *p, size_t n, int64_t now_s, struct token_claims *out)
{
	cjose_err err;
	const struct key *key;
	cjose_jws_t *jws;
	uint8_t *plain = NULL;
	size_t plain_n = 0;
	bool ok;

	/* Accept the compact form only: three parts of base64url, nothing else. */
	if (n < 20 || n > 4096 || memchr(p, '{', n) || !signature_is_canonical(p, n))
		return false;
	jws = cjose_jws_import(p, n, &err);
	if (!jws)
		return false;
	key = jws_header_is_plain((struct str){ p, n }) ? key_of(jws, use) : NULL;
	ok = key && cjose_jws_verify(jws, key->jwk, &err) &&
	     cjose_jws_get_plaintext(jws, &plain, &plain_n, &err) &&
	     claims_hold((const char *)plain, plain_n, now_s, out);
	if (ok)
		out->key = key_digest(key);
	cjose_jws_release(jws);
	return ok;
}
