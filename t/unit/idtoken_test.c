/* SPDX-License-Identifier: Apache-2.0
 * Tokens of other issuers: accepted only with the issuer's keys and our algorithms, for our
 * audience, within their lifetime, and for this login. */
#include "crypto/idtoken.h"
#include "crypto/crypto.h"
#include "unit.h"

#include <cjose/cjose.h>
#include <string.h>

static cjose_jwk_t *rsa, *ec, *weak;
static char *key_set; /* the public halves of rsa and ec */

static cjose_jwk_t *with_kid(cjose_jwk_t *k, const char *kid)
{
	cjose_err err;

	CU_ASSERT_PTR_NOT_NULL_FATAL(k);
	cjose_jwk_set_kid(k, kid, strlen(kid), &err);
	return k;
}

static char *public_of(const cjose_jwk_t *k)
{
	cjose_err err;

	return cjose_jwk_to_json(k, false, &err);
}

static void make_keys(void)
{
	cjose_err err;
	char *a, *b;

	rsa = with_kid(cjose_jwk_create_RSA_random(2048, NULL, 0, &err), "r");
	weak = with_kid(cjose_jwk_create_RSA_random(1024, NULL, 0, &err), "w");
	ec = with_kid(cjose_jwk_create_EC_random(CJOSE_JWK_EC_P_256, &err), "e");
	a = public_of(rsa);
	b = public_of(ec);
	key_set = xasprintf("{\"keys\":[%s,%s]}", a, b);
	cjose_get_dealloc()(a);
	cjose_get_dealloc()(b);
}

/* The caller frees. KID: NULL: none. NAME and its VALUE (JSON) are a further member of the header;
 * NULL: none. */
static char *sign_with(const cjose_jwk_t *k, const char *alg, const char *kid, const char *claims,
	const char *name, const char *value)
{
	cjose_err err;
	cjose_header_t *h = cjose_header_new(&err);
	const char *text = NULL;
	cjose_jws_t *jws;
	char *out;

	cjose_header_set(h, CJOSE_HDR_ALG, alg, &err);
	if (kid)
		cjose_header_set(h, CJOSE_HDR_KID, kid, &err);
	if (name)
		CU_ASSERT_TRUE_FATAL(cjose_header_set_raw(h, name, value, &err));
	jws = cjose_jws_sign(k, h, (const uint8_t *)claims, strlen(claims), &err);
	CU_ASSERT_TRUE_FATAL(jws && cjose_jws_export(jws, &text, &err));
	out = xstrdup(text);
	cjose_jws_release(jws);
	cjose_header_release(h);
	return out;
}

static char *sign(const cjose_jwk_t *k, const char *alg, const char *kid, const char *claims)
{
	return sign_with(k, alg, kid, claims, NULL, NULL);
}

static enum idtoken_result verify(const char *set, char *take_token)
{
	struct json_object *claims = (struct json_object *)1;
	const char *why = NULL;
	enum idtoken_result r = idtoken_verify(str_of(set), str_of(take_token), &claims, &why);

	CU_ASSERT_TRUE(r == IDTOKEN_OK ? strcmp(json_get_string(claims, "iss"), "i") == 0
				       : !claims && why);
	json_object_put(r == IDTOKEN_OK ? claims : NULL);
	free(take_token);
	return r;
}

static void signatures(void)
{
	static const char claims[] = "{\"iss\":\"i\"}";
	char *own = public_of(weak), *weak_set = xasprintf("{\"keys\":[%s]}", own), *bad;

	CU_ASSERT_EQUAL(verify(key_set, sign(rsa, "RS256", "r", claims)), IDTOKEN_OK);
	CU_ASSERT_EQUAL(verify(key_set, sign(rsa, "PS256", "r", claims)), IDTOKEN_OK);
	CU_ASSERT_EQUAL(verify(key_set, sign(ec, "ES256", "e", claims)), IDTOKEN_OK);
	/* without a kid, the one key that fits */
	CU_ASSERT_EQUAL(verify(key_set, sign(ec, "ES256", NULL, claims)), IDTOKEN_OK);
	CU_ASSERT_EQUAL(verify(key_set, sign(rsa, "RS256", "x", claims)), IDTOKEN_UNKNOWN_KEY);
	CU_ASSERT_EQUAL(verify(key_set, sign(rsa, "RS256", "e", claims)), IDTOKEN_UNKNOWN_KEY);
	CU_ASSERT_EQUAL(verify(key_set, sign(weak, "RS256", "r", claims)), IDTOKEN_BAD);
	CU_ASSERT_EQUAL(verify(weak_set, sign(weak, "RS256", "w", claims)), IDTOKEN_UNKNOWN_KEY);
	CU_ASSERT_EQUAL(verify(key_set, sign(rsa, "RS384", "r", claims)), IDTOKEN_BAD);
	CU_ASSERT_EQUAL(verify("{}", sign(rsa, "RS256", "r", claims)), IDTOKEN_UNKNOWN_KEY);
	CU_ASSERT_EQUAL(verify("", sign(rsa, "RS256", "r", claims)), IDTOKEN_UNKNOWN_KEY);
	CU_ASSERT_EQUAL(verify(key_set, sign(rsa, "RS256", "r", "[\"iss\"]")), IDTOKEN_BAD);
	bad = sign(ec, "ES256", "e", claims);
	bad[strlen(bad) - 3] = bad[strlen(bad) - 3] == 'A' ? 'B' : 'A';
	CU_ASSERT_EQUAL(verify(key_set, bad), IDTOKEN_BAD);
	/* {"alg":"none"} and texts that are not tokens */
	CU_ASSERT_EQUAL(
		verify(key_set, xstrdup("eyJhbGciOiJub25lIn0.eyJpc3MiOiJpIn0.")), IDTOKEN_BAD);
	CU_ASSERT_EQUAL(verify(key_set, xstrdup("")), IDTOKEN_BAD);
	CU_ASSERT_EQUAL(
		verify(key_set, xstrdup("{\"payload\":\"x\",\"signatures\":[]}")), IDTOKEN_BAD);
	free(weak_set);
	cjose_get_dealloc()(own);
}

/* RFC 7515, 4.1.11: whoever does not understand a critical extension must refuse; what is not
 * critical is ignored. */
static void critical_headers(void)
{
	static const char *const crit[] = { "[\"exp\"]", "[\"b64\"]", "[\"urn:x\"]", "[\"alg\"]",
		"[\"exp\",\"b64\"]", "[]", "{}", "[5]" };
	static const char *const other[] = { "cty", "x5t", "urn:x", "Crit", "exp" };
	const cjose_jwk_t *keys[] = { rsa, rsa, ec };
	static const char *const algs[] = { "RS256", "PS256", "ES256" };

	for (size_t a = 0; a < ARRAY_LEN(algs); a++) {
		for (size_t i = 0; i < ARRAY_LEN(crit); i++)
			CU_ASSERT_EQUAL(
				verify(key_set, sign_with(keys[a], algs[a], NULL, "{\"iss\":\"i\"}",
							"crit", crit[i])),
				IDTOKEN_BAD);
		for (size_t i = 0; i < ARRAY_LEN(other); i++)
			CU_ASSERT_EQUAL(
				verify(key_set, sign_with(keys[a], algs[a], NULL, "{\"iss\":\"i\"}",
							other[i], "[\"x\"]")),
				IDTOKEN_OK);
	}
}

/* The public half of K with MORE members, as a set. */
static char *set_with(const cjose_jwk_t *k, const char *more)
{
	char *own = public_of(k), *set;

	set = xasprintf("{\"keys\":[%.*s,%s}]}", (int)strlen(own) - 1, own, more);
	cjose_get_dealloc()(own);
	return set;
}

static void keys_that_may_verify(void)
{
	static const struct {
		const char *more;
		bool ok;
	} rows[] = {
		{ "\"use\":\"sig\"", true },
		{ "\"use\":\"enc\"", false },
		{ "\"use\":\"\"", false },
		{ "\"use\":5", false },
		{ "\"use\":null", false },
		{ "\"use\":[\"sig\"]", false },
		{ "\"key_ops\":[\"verify\"]", true },
		{ "\"key_ops\":[\"sign\",\"verify\"]", true },
		{ "\"key_ops\":[\"encrypt\"]", false },
		{ "\"key_ops\":[\"sign\"]", false },
		{ "\"key_ops\":[]", false },
		{ "\"key_ops\":\"verify\"", false },
		{ "\"key_ops\":null", false },
		{ "\"key_ops\":[\"verify\"],\"use\":\"enc\"", false },
		{ "\"alg\":\"OURS\"", true },
		{ "\"alg\":\"RS384\"", false },
		{ "\"alg\":\"none\"", false },
		{ "\"alg\":7", false },
		{ "\"alg\":null", false },
	};
	const cjose_jwk_t *keys[] = { rsa, rsa, ec };
	static const char *const algs[] = { "RS256", "PS256", "ES256" };

	for (size_t a = 0; a < ARRAY_LEN(algs); a++)
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			char *set = set_with(keys[a], rows[i].more), *ours = strstr(set, "OURS"),
			     *named = ours ? xasprintf("%.*s%s%s", (int)(ours - set), set, algs[a],
						     ours + 4)
					   : xstrdup(set);

			CU_ASSERT_EQUAL(verify(named, sign(keys[a], algs[a], a == 2 ? "e" : "r",
							      "{\"iss\":\"i\"}")),
				rows[i].ok ? IDTOKEN_OK : IDTOKEN_UNKNOWN_KEY);
			free(set);
			free(named);
		}
}

/* Signatures of every other length, and other spellings of the valid one. */
static void exact_signatures(void)
{
	static const char claims[] = "{\"iss\":\"i\"}";
	const cjose_jwk_t *keys[] = { rsa, rsa, ec };
	static const char *const algs[] = { "RS256", "PS256", "ES256" };
	int n = 0;

	for (size_t a = 0; a < ARRAY_LEN(algs); a++) {
		char *good = sign(keys[a], algs[a], NULL, claims), *dot = strrchr(good, '.');
		unsigned char bytes[1024] = { 0 };
		size_t have = base64url_decode(str_of(dot + 1), bytes);

		CU_ASSERT(have == (a == 2 ? 64 : 256));
		for (size_t len = 0; len <= have + 200; len++) {
			struct buf b = { 0 };

			buf_add(&b, good, (size_t)(dot + 1 - good));
			buf_add_base64url(&b, bytes, len);
			CU_ASSERT_EQUAL(verify(key_set, buf_take(&b)),
				len == have ? IDTOKEN_OK : IDTOKEN_BAD);
			n++;
		}
		for (const char *more = "=A-_.+/ \n"; *more; more++) {
			CU_ASSERT_EQUAL(
				verify(key_set, xasprintf("%s%c", good, *more)), IDTOKEN_BAD);
			n++;
		}
		for (const char *last = "ABCDEFGHQRSTghijwxyz0123"; *last; last++) {
			char *twin = xasprintf("%.*s%c", (int)strlen(good) - 1, good, *last);

			if (strcmp(twin, good) != 0)
				CU_ASSERT_EQUAL(verify(key_set, xstrdup(twin)), IDTOKEN_BAD);
			free(twin);
			n++;
		}
		free(good);
	}
	printf("# signatures: %d lengths and spellings\n", n);
}

static const char *broken(const char *claims, const char *nonce)
{
	struct json_object *o = json_tokener_parse(claims);
	const char *why = idtoken_claims_broken(o, "https://i", "me", nonce, 1000000);

	json_object_put(o);
	return why;
}

static void claims_for_us_now(void)
{
#define GOOD "\"iss\":\"https://i\",\"nonce\":\"n\",\"iat\":1000000"
	CU_ASSERT_PTR_NULL(broken("{" GOOD ",\"aud\":\"me\",\"exp\":1000001}", "n"));
	CU_ASSERT_PTR_NULL(broken("{" GOOD ",\"aud\":[\"me\"],\"exp\":1000001}", "n"));
	CU_ASSERT_PTR_NULL(
		broken("{" GOOD ",\"aud\":[\"x\",\"me\"],\"azp\":\"me\",\"exp\":1000001}", "n"));
	/* several audiences, and azp does not name us */
	CU_ASSERT_PTR_NOT_NULL(broken("{" GOOD ",\"aud\":[\"x\",\"me\"],\"exp\":1000001}", "n"));
	CU_ASSERT_PTR_NOT_NULL(
		broken("{" GOOD ",\"aud\":\"me\",\"azp\":\"x\",\"exp\":1000001}", "n"));
	CU_ASSERT_PTR_NOT_NULL(broken("{" GOOD ",\"aud\":\"mee\",\"exp\":1000001}", "n"));
	CU_ASSERT_PTR_NOT_NULL(broken("{" GOOD ",\"aud\":[],\"exp\":1000001}", "n"));
	CU_ASSERT_PTR_NOT_NULL(broken("{" GOOD ",\"exp\":1000001}", "n"));
	/* the time, with a minute of grace */
	CU_ASSERT_PTR_NULL(broken("{" GOOD ",\"aud\":\"me\",\"exp\":999941}", "n"));
	CU_ASSERT_PTR_NOT_NULL(broken("{" GOOD ",\"aud\":\"me\",\"exp\":999940}", "n"));
	CU_ASSERT_PTR_NOT_NULL(broken("{" GOOD ",\"aud\":\"me\"}", "n"));
	CU_ASSERT_PTR_NOT_NULL(
		broken("{" GOOD ",\"aud\":\"me\",\"exp\":1000001,\"nbf\":1000061}", "n"));
	CU_ASSERT_PTR_NOT_NULL(broken("{\"iss\":\"https://i\",\"nonce\":\"n\",\"aud\":\"me\","
				      "\"exp\":1000001,\"iat\":1000061}",
		"n"));
	CU_ASSERT_PTR_NOT_NULL(broken("{\"iss\":\"https://i\",\"nonce\":\"n\",\"aud\":\"me\","
				      "\"exp\":1000001,\"iat\":999399}",
		"n"));
	/* with a fraction, as RFC 7519 allows */
	CU_ASSERT_PTR_NULL(broken("{\"iss\":\"https://i\",\"nonce\":\"n\",\"aud\":\"me\","
				  "\"exp\":1000001.5,\"iat\":999999.25,\"nbf\":1000000.5,"
				  "\"auth_time\":999000.125}",
		"n"));
	CU_ASSERT_PTR_NOT_NULL(broken("{" GOOD ",\"aud\":\"me\",\"exp\":999939.9}", "n"));
	CU_ASSERT_PTR_NOT_NULL(broken("{" GOOD ",\"aud\":\"me\",\"exp\":0}", "n"));
	CU_ASSERT_PTR_NOT_NULL(broken("{" GOOD ",\"aud\":\"me\",\"exp\":\"1000001\"}", "n"));
	CU_ASSERT_PTR_NOT_NULL(
		broken("{" GOOD ",\"aud\":\"me\",\"exp\":1000001,\"nbf\":\"1\"}", "n"));
	CU_ASSERT_PTR_NOT_NULL(
		broken("{" GOOD ",\"aud\":\"me\",\"exp\":1000001,\"auth_time\":1000061}", "n"));
	/* another login's, another issuer's */
	CU_ASSERT_PTR_NOT_NULL(broken("{" GOOD ",\"aud\":\"me\",\"exp\":1000001}", "m"));
	CU_ASSERT_PTR_NOT_NULL(broken("{" GOOD ",\"aud\":\"me\",\"exp\":1000001}", "nn"));
	CU_ASSERT_PTR_NOT_NULL(
		broken("{\"iss\":\"https://i/\",\"nonce\":\"n\",\"aud\":\"me\",\"exp\":1000001,"
		       "\"iat\":1000000}",
			"n"));
	/* a log-out token has no nonce, and need not expire */
	CU_ASSERT_PTR_NOT_NULL(broken("{" GOOD ",\"aud\":\"me\"}", NULL));
	CU_ASSERT_PTR_NULL(broken("{\"iss\":\"https://i\",\"aud\":\"me\",\"iat\":1000000}", NULL));
}

static void end_keys(void)
{
	cjose_jwk_release(rsa);
	cjose_jwk_release(ec);
	cjose_jwk_release(weak);
	free(key_set);
}

UNIT_MAIN("idtoken", { "keys", make_keys }, { "keys and algorithms", signatures },
	{ "critical headers", critical_headers }, { "keys that may verify", keys_that_may_verify },
	{ "signatures of another length or spelling", exact_signatures },
	{ "audience, time and nonce", claims_for_us_now }, { "no traces", end_keys })
