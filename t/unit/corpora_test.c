/* SPDX-License-Identifier: Apache-2.0
 * Bad input from public corpora: 318 JSON documents, and JWS vectors against our token check.
 * Skipped, with a message, if the files are absent (SLADESK_CORPORA names their directory). */
#include "unit.h"
#include "base/json.h"
#include "crypto/crypto.h"
#include "crypto/idtoken.h"

#include <openssl/evp.h>
#include <zlib.h>

static char *read_gz(const char *name)
{
	const char *dir = getenv("SLADESK_CORPORA");
	char path[400];
	struct buf b = { 0 };
	char block[65536];
	gzFile f;
	int n;

	snprintf(path, sizeof(path), "%s/%s", dir ? dir : "", name);
	f = dir ? gzopen(path, "rb") : NULL;
	if (!f) {
		printf("# skipped: %s is not here\n", name);
		return NULL;
	}
	while ((n = gzread(f, block, sizeof(block))) > 0)
		buf_add(&b, block, (size_t)n);
	gzclose(f);
	return buf_take(&b);
}

/* The algorithms that identity tokens may have. */
static bool choice_of_ours(const char *alg)
{
	return strcmp(alg, "RS256") == 0 || strcmp(alg, "PS256") == 0 || strcmp(alg, "ES256") == 0;
}

/* Is the token of T signed by another algorithm than its key names? */
static bool of_another(struct json_object *t)
{
	struct str jws = json_str(json_get(t, "jws"));
	unsigned char head[4096];
	const char *dot = jws.p ? memchr(jws.p, '.', jws.n) : NULL;
	size_t n = dot && dot - jws.p < 4096
			   ? base64url_decode((struct str){ jws.p, (size_t)(dot - jws.p) }, head)
			   : 0;
	struct json_error err;
	struct json_object *o = n ? json_read((const char *)head, n, &err) : NULL;
	const char *alg = json_get_string(o, "alg");
	bool another = !alg || !choice_of_ours(alg);

	json_object_put(o);
	return another;
}

static void json_documents(void)
{
	char *text = read_gz("json_parsing.jsonl.gz"), *save = NULL;
	int must = 0, must_not = 0, either = 0;

	if (!text)
		return;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		struct json_object *o = json_tokener_parse(line), *doc;
		const char *raw = json_get_string(o, "raw"), *expect = json_get_string(o, "expect");
		size_t len = strlen(raw);
		unsigned char *bytes = xmalloc(len + 4);
		int n = EVP_DecodeBlock(bytes, (const unsigned char *)raw, (int)len);
		struct json_error err;
		bool scanned;

		n -= len > 0 && raw[len - 1] == '=';
		n -= len > 1 && raw[len - 2] == '=';
		n = n < 0 ? 0 : n;
		scanned = json_scan((const char *)bytes, (size_t)n, &err);
		doc = json_read((const char *)bytes, (size_t)n, &err);
		json_object_put(doc);
		if (expect[0] == 'n') {
			must_not++;
			CU_ASSERT_FALSE(scanned);
		} else if (expect[0] == 'y') {
			must++;
			/* valid, but refused by two rules of our own: NUL in strings */
			if (!scanned && strcmp(err.rule, "no NUL character") != 0) {
				printf("# refused: %s: %s\n", json_get_string(o, "name"), err.rule);
				CU_FAIL("a valid document was refused");
			}
		} else {
			either++;
		}
		free(bytes);
		json_object_put(o);
	}
	printf("# json: %d must be taken, %d refused, %d either\n", must, must_not, either);
	CU_ASSERT(must > 80 && must_not > 150);
	free(text);
}

/* No foreign vector may pass as one of our tokens, whatever its own verdict: only our key, type and
 * algorithm are accepted. */
static void jws_vectors(void)
{
	char *text = read_gz("wycheproof_json_web_signature_test.json.gz");
	struct json_object *o, *groups;
	char *jwk = token_keys_rotate(NULL, 0, 1700000000, true);
	int n = 0;

	CU_ASSERT(token_keys_load(jwk, strlen(jwk)));
	free(jwk);
	if (!text)
		return;
	o = json_tokener_parse(text);
	groups = json_get(o, "testGroups");
	for (size_t g = 0; g < json_object_array_length(groups); g++) {
		struct json_object *tests = json_get(json_object_array_get_idx(groups, g), "tests");

		for (size_t i = 0; i < json_object_array_length(tests); i++) {
			struct json_object *v =
				json_get(json_object_array_get_idx(tests, i), "jws");
			struct token_claims claims;
			const char *jws = json_object_get_string(v);

			CU_ASSERT_FALSE(
				token_verify(TOKEN_ACCESS, jws, strlen(jws), 1700000000, &claims));
			n++;
		}
	}
	printf("# jws: %d vectors refused\n", n);
	json_object_put(o);
	free(text);
	token_keys_free();
}

/* The vectors of FILE as identity tokens: invalid ones must be refused, and valid ones with an
 * algorithm that we accept must be accepted. */
static void foreign_signatures(const char *file, int *refused, int *taken)
{
	char *text = read_gz(file);
	struct json_object *o, *groups;

	if (!text)
		return;
	o = json_tokener_parse(text);
	groups = json_get(o, "testGroups");
	for (size_t g = 0; g < json_object_array_length(groups); g++) {
		struct json_object *group = json_object_array_get_idx(groups, g), *key,
				   *tests = json_get(group, "tests");
		struct buf set = { 0 };

		key = json_get(group, json_get(group, "public") ? "public" : "private");
		if (json_get(key, "keys")) {
			json_write(&set, key);
		} else {
			buf_adds(&set, "{\"keys\":[");
			json_write(&set, key);
			buf_adds(&set, "]}");
		}
		for (size_t i = 0; i < json_object_array_length(tests); i++) {
			struct json_object *t = json_object_array_get_idx(tests, i);
			struct str jws = json_str(json_get(t, "jws"));
			bool valid = strcmp(json_get_string(t, "result"), "valid") == 0;
			const char *why = "", *alg = json_get_string(key, "alg");
			struct buf out = { 0 };
			bool ok = idtoken_open((struct str){ set.p, set.n }, jws, &out, &why) ==
				  IDTOKEN_OK;

			if (ok && !valid) {
				printf("# taken: %s %lld\n", file,
					(long long)json_get_int(t, "tcId", 0));
				CU_FAIL("an invalid signature was taken");
			}
			if (valid && !ok && alg && choice_of_ours(alg) && !of_another(t)) {
				printf("# refused: %s %lld %s\n", file,
					(long long)json_get_int(t, "tcId", 0), why);
				CU_FAIL("a valid signature was refused");
			}
			*refused += !valid;
			*taken += valid && ok;
			buf_free(&out);
		}
		buf_free(&set);
	}
	json_object_put(o);
	free(text);
}

static void identity_tokens(void)
{
	int refused = 0, taken = 0;

	foreign_signatures("wycheproof_json_web_signature_test.json.gz", &refused, &taken);
	foreign_signatures("wycheproof_json_web_key_test.json.gz", &refused, &taken);
	printf("# identity tokens: %d invalid refused, %d valid taken\n", refused, taken);
	CU_ASSERT(!refused || (refused > 350 && taken >= 16));
}

/* The life of a key: which key signs, which still verify, which are published. */
static void key_rotation(void)
{
	int64_t now = 1700000000;
	char *set = token_keys_rotate(NULL, 0, now, true), *next, *first, *second;
	struct token_claims c = { .tenant_id = 12, .session_id = 345, .expires_s = now + 86400 },
			    got;
	struct buf b = { 0 };

	CU_ASSERT(token_keys_load(set, strlen(set)));
	first = token_sign(TOKEN_ACCESS, &c, now);
	now += 90 * 86400;
	c.expires_s = now + 86400;
	free(first);
	first = token_sign(TOKEN_ACCESS, &c, now);
	next = token_keys_rotate(set, strlen(set), now, false);
	CU_ASSERT(token_keys_load(next, strlen(next)));
	CU_ASSERT(token_keys_newest_s() == now);
	second = token_sign(TOKEN_ACCESS, &c, now + 599);
	CU_ASSERT(token_keys_load(set, strlen(set)) &&
		  token_verify(TOKEN_ACCESS, second, strlen(second), now + 599, &got));
	CU_ASSERT(token_keys_load(next, strlen(next)));
	free(second);
	second = token_sign(TOKEN_ACCESS, &c, now + 600);
	CU_ASSERT(token_verify(TOKEN_ACCESS, first, strlen(first), now + 600, &got));
	CU_ASSERT(token_verify(TOKEN_ACCESS, second, strlen(second), now + 600, &got));
	token_keys_public(&b);
	CU_ASSERT(strstr(buf_cstr(&b), "\"x\":") && !strstr(buf_cstr(&b), "\"d\":"));
	free(set);
	set = token_keys_rotate(
		next, strlen(next), now + 90 * 86400, false); /* the first is dropped */
	free(next);
	next = token_keys_rotate(set, strlen(set), now + 90 * 86400 + 86400, false);
	CU_ASSERT(token_keys_load(next, strlen(next)));
	CU_ASSERT_FALSE(token_verify(TOKEN_ACCESS, first, strlen(first), now + 600, &got));
	CU_ASSERT(token_verify(TOKEN_ACCESS, second, strlen(second), now + 600, &got));
	free(next);
	next = token_keys_rotate(set, strlen(set), now, true);
	CU_ASSERT(token_keys_load(next, strlen(next)));
	CU_ASSERT_FALSE(token_verify(TOKEN_ACCESS, second, strlen(second), now + 600, &got));
	CU_ASSERT_FALSE(token_keys_load("{\"keys\":[]}", 11));
	CU_ASSERT_FALSE(token_keys_load(
		"{\"keys\":[{\"kty\":\"oct\",\"k\":\"c2VjcmV0\",\"kid\":\"a\"}]}", 54));
	free(set);
	free(next);
	free(first);
	free(second);
	buf_free(&b);
	token_keys_free();
}

static void our_tokens(void)
{
	char *jwk = token_keys_rotate(NULL, 0, 1700000000, true), *token, *other;
	struct token_claims c = { .tenant_id = 12, .session_id = 345, .expires_s = 1700003600 },
			    got;
	static const char none[] =
		"eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.eyJpc3MiOiJzbGFkZXNrIn0.";

	CU_ASSERT(token_keys_load(jwk, strlen(jwk)));
	token = token_sign(TOKEN_ACCESS, &c, 1700000000);
	CU_ASSERT(token_verify(TOKEN_ACCESS, token, strlen(token), 1700000000, &got));
	CU_ASSERT(got.tenant_id == 12 && got.session_id == 345);
	CU_ASSERT_FALSE(token_verify(TOKEN_RESET, token, strlen(token), 1700000000, &got));
	other = token_sign(TOKEN_RESET, &c, 1700000000);
	CU_ASSERT_FALSE(token_verify(TOKEN_ACCESS, other, strlen(other), 1700000000, &got));
	CU_ASSERT(token_verify(TOKEN_RESET, other, strlen(other), 1700000000, &got));
	free(other);
	CU_ASSERT_FALSE(
		token_verify(TOKEN_ACCESS, token, strlen(token), 1700003600, &got)); /* expired */
	CU_ASSERT_FALSE(
		token_verify(TOKEN_ACCESS, token, strlen(token), 1699990000, &got)); /* not yet */
	CU_ASSERT_FALSE(token_verify(TOKEN_ACCESS, none, strlen(none), 1700000000, &got));
	for (const char *last = "ABCDQRgwxyz"; *last; last++) { /* bits that no signature uses */
		char *twin = xasprintf("%.*s%c", (int)strlen(token) - 1, token, *last);
		char *longer = xasprintf("%sx", twin);

		CU_ASSERT(token_verify(TOKEN_ACCESS, twin, strlen(twin), 1700000000, &got) ==
			  (*last == token[strlen(token) - 1]));
		CU_ASSERT_FALSE(
			token_verify(TOKEN_ACCESS, longer, strlen(longer), 1700000000, &got));
		free(twin);
		free(longer);
	}
	for (size_t i = 0; i < strlen(token); i += 7) { /* any changed character */
		char was = token[i];

		token[i] = was == 'A' ? 'B' : 'A';
		if (token[i] != '.')
			CU_ASSERT_FALSE(token_verify(TOKEN_ACCESS, token, strlen(token), 1700000000,
						&got) &&
					i < strlen(token) - 2);
		token[i] = was;
	}
	free(jwk);
	jwk = token_keys_rotate(NULL, 0, 1700000000, true);
	CU_ASSERT(token_keys_load(jwk, strlen(jwk)));
	other = token_sign(TOKEN_ACCESS, &c, 1700000000);
	CU_ASSERT_FALSE(token_verify(
		TOKEN_ACCESS, token, strlen(token), 1700000000, &got)); /* another key */
	CU_ASSERT(token_verify(TOKEN_ACCESS, other, strlen(other), 1700000000, &got));
	CU_ASSERT_FALSE(token_keys_load("{\"kty\":\"oct\",\"k\":\"c2VjcmV0\",\"kid\":\"a\"}", 41));
	free(jwk);
	free(token);
	free(other);
	token_keys_free();
}

UNIT_MAIN("corpora", { "JSON documents", json_documents }, { "JWS vectors", jws_vectors },
	{ "JWS and JWK vectors as identity tokens", identity_tokens }, { "our tokens", our_tokens },
	{ "key rotation", key_rotation })
