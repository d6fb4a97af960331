/* SPDX-License-Identifier: Apache-2.0
 * Keys that an operator could give us: keys that cannot sign are refused when they are read. */
#include "base/json.h"
#include "crypto/crypto.h"
#include "crypto/spkey.h"
#include "unit.h"

#include <cjose/cjose.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>
#include <unistd.h>

/* A new key of ours as JSON. The caller releases it. */
static struct json_object *new_key(void)
{
	char *set = token_keys_rotate(NULL, 0, 1700000000, true);
	struct json_error err;
	struct json_object *o = json_read(set, strlen(set), &err),
			   *k = json_object_array_get_idx(json_get(o, "keys"), 0);

	json_object_get(k);
	json_object_put(o);
	free(set);
	return k;
}

static bool is_taken(struct json_object *key)
{
	struct buf b = { 0 };
	bool ok;

	json_write(&b, key);
	ok = token_keys_load(b.p, b.n);
	buf_free(&b);
	return ok;
}

static struct json_object *other_curve(void)
{
	cjose_err err;
	cjose_jwk_t *k = cjose_jwk_create_EC_random(CJOSE_JWK_EC_P_384, &err);
	struct json_object *o;
	char *json;

	cjose_jwk_set_kid(k, "a", 1, &err);
	json = cjose_jwk_to_json(k, true, &err);
	o = json_tokener_parse(json);
	cjose_get_dealloc()(json);
	cjose_jwk_release(k);
	return o;
}

static void keys_that_cannot_sign(void)
{
	struct json_object *ours = new_key(), *half = NULL, *p384;
	struct token_claims c = { .tenant_id = 1, .session_id = 2, .expires_s = 1700001000 };
	char *token;

	CU_ASSERT_TRUE(is_taken(ours));
	json_object_deep_copy(ours, &half, NULL);
	json_object_object_del(half, "d");
	CU_ASSERT_FALSE(is_taken(half)); /* the public half alone */
	CU_ASSERT_FALSE(is_taken(p384 = other_curve()));
	CU_ASSERT_FALSE(token_keys_load("{}", 2) || token_keys_load("[", 1));
	/* the refused keys changed nothing */
	token = token_sign(TOKEN_ACCESS, &c, 1700000000);
	CU_ASSERT_TRUE(token_verify(TOKEN_ACCESS, token, strlen(token), 1700000000, &c));
	free(token);
	json_object_put(ours);
	json_object_put(half);
	json_object_put(p384);
	token_keys_free();
}

/* A token of ours with one more member in its header, signed by our key. The caller frees. */
static char *with_header(
	const cjose_jwk_t *k, const char *kid, const char *typ, const char *name, const char *value)
{
	static const char claims[] = "{\"iss\":\"sladesk\",\"aud\":\"sladesk-api\",\"tid\":1,"
				     "\"sid\":2,\"iat\":1700000000,\"nbf\":1699999999,"
				     "\"exp\":1700001000}";
	cjose_err err;
	cjose_header_t *h = cjose_header_new(&err);
	const char *text = NULL;
	cjose_jws_t *jws;
	char *out;

	cjose_header_set(h, CJOSE_HDR_ALG, CJOSE_HDR_ALG_ES256, &err);
	cjose_header_set(h, CJOSE_HDR_KID, kid, &err);
	cjose_header_set(h, "typ", typ, &err);
	if (name)
		CU_ASSERT_TRUE_FATAL(cjose_header_set_raw(h, name, value, &err));
	jws = cjose_jws_sign(k, h, (const uint8_t *)claims, sizeof(claims) - 1, &err);
	CU_ASSERT_TRUE_FATAL(jws && cjose_jws_export(jws, &text, &err));
	out = xstrdup(text);
	cjose_jws_release(jws);
	cjose_header_release(h);
	return out;
}

static bool verifies(enum token_use use, char *take_token)
{
	struct token_claims c;
	bool ok = token_verify(use, take_token, strlen(take_token), 1700000000, &c);

	free(take_token);
	return ok;
}

static void critical_headers(void)
{
	static const char *const crit[] = { "[\"exp\"]", "[\"b64\"]", "[\"urn:x\"]", "[]", "{}" };
	static const char *const types[] = { [TOKEN_ACCESS] = "at+jwt",
		[TOKEN_RESET] = "reset+jwt",
		[TOKEN_STEP] = "step+jwt",
		[TOKEN_LINK] = "link+jwt",
		[TOKEN_ADDRESS] = "address+jwt",
		[TOKEN_CHALLENGE] = "challenge+jwt" };
	struct json_object *ours = new_key();
	struct buf b = { 0 };
	cjose_err err;
	const char *kid;
	cjose_jwk_t *k;

	CU_ASSERT_TRUE_FATAL(is_taken(ours));
	json_write(&b, ours);
	k = cjose_jwk_import(b.p, b.n, &err);
	kid = cjose_jwk_get_kid(k, &err);
	for (int use = TOKEN_ACCESS; use <= TOKEN_CHALLENGE; use++) {
		CU_ASSERT_TRUE(verifies(use, with_header(k, kid, types[use], NULL, NULL)));
		CU_ASSERT_TRUE(verifies(use, with_header(k, kid, types[use], "urn:x", "[1]")));
		for (size_t i = 0; i < ARRAY_LEN(crit); i++)
			CU_ASSERT_FALSE(
				verifies(use, with_header(k, kid, types[use], "crit", crit[i])));
	}
	cjose_jwk_release(k);
	buf_free(&b);
	json_object_put(ours);
	token_keys_free();
}

/* An RSA key of BITS with a certificate, in FILE. */
static void write_rsa(const char *file, unsigned bits)
{
	EVP_PKEY *k = EVP_RSA_gen(bits);
	X509 *x = X509_new();
	FILE *f = fopen(file, "w");

	X509_gmtime_adj(X509_getm_notBefore(x), 0);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_set_pubkey(x, k);
	X509_sign(x, k, EVP_sha256());
	PEM_write_PrivateKey(f, k, NULL, NULL, 0, NULL, NULL);
	PEM_write_X509(f, x);
	fclose(f);
	X509_free(x);
	EVP_PKEY_free(k);
}

static void provider_keys(void)
{
	char file[] = "/tmp/sladesk-unit-XXXXXX";
	struct buf b = { 0 };
	int fd = mkstemp(file);

	CU_ASSERT_FATAL(fd >= 0);
	close(fd);
	write_rsa(file, 1024);
	CU_ASSERT_FALSE(spkey_open(file, "x"));
	spkey_free();
	write_rsa(file, 2048);
	CU_ASSERT_TRUE(spkey_open(file, "x"));
	spkey_sign(&b, "text", 4);
	CU_ASSERT_EQUAL(b.n, 344); /* 256 bytes in base64 */
	spkey_free();
	buf_free(&b);
	unlink(file);
	CU_ASSERT_TRUE(spkey_open(file, "x")); /* created, where there is none */
	spkey_free();
	unlink(file);
}

UNIT_MAIN("crypto", { "signing keys that cannot sign", keys_that_cannot_sign },
	{ "critical headers", critical_headers }, { "a service provider's key", provider_keys })
