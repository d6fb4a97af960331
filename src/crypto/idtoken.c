/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/idtoken.h"
#include "base/clock.h"
#include "crypto/crypto.h"
#include "jws.h"

#include <cjose/cjose.h>
#include <stdlib.h>

#define RSA_N_CHARS 342 /* base64url of 2048 bits */
#define ES256_N 64
#define SKEW_S 60
#define AGE_MAX_S 600

static const struct {
	const char *alg, *kty;
} algorithms[] = { { "RS256", "RSA" }, { "PS256", "RSA" }, { "ES256", "EC" } };

static const char *type_for(const char *alg)
{
	for (size_t i = 0; alg && i < ARRAY_LEN(algorithms); i++)
		if (strcmp(alg, algorithms[i].alg) == 0)
			return algorithms[i].kty;
	return NULL;
}

/* Does the member allow V? An absent member allows everything; one of another type allows
 * nothing. */
static bool member_allows(struct json_object *k, const char *member, const char *v)
{
	struct json_object *m;

	return !json_object_object_get_ex(k, member, &m) ||
	       (json_object_is_type(m, json_type_string) && str_is(json_str(m), v));
}

/* RFC 7517, 4.3: what the key may be used for, as a list. */
static bool may_verify(struct json_object *k)
{
	struct json_object *ops;
	bool found = false;

	if (!json_object_object_get_ex(k, "key_ops", &ops))
		return true;
	for (size_t i = 0;
		json_object_is_type(ops, json_type_array) && i < json_object_array_length(ops); i++)
		found |= str_is(json_str(json_object_array_get_idx(ops, i)), "verify");
	return found;
}

/* Chips whose keys can be factored (CVE-2017-15361) made moduli that are powers of 65537 modulo
 * every small prime. Of other moduli, one in 2^27 has this property. */
static bool is_factorable(const char *n)
{
	unsigned char *bytes = xmalloc(strlen(n) + 1);
	size_t size = base64url_decode(str_of(n), bytes);
	bool all = true;

	for (unsigned p = 3; p < 168 && all; p += 2) {
		unsigned r = 0, power = 1, d = 3;

		while (d * d <= p && p % d)
			d += 2;
		if (d * d <= p)
			continue; /* not a prime */
		for (size_t i = 0; i < size; i++)
			r = (r * 256 + bytes[i]) % p;
		do
			power = power * 65537 % p;
		while (power != r && power > 1);
		all = power == r;
	}
	free(bytes);
	return all;
}

static bool key_fits(struct json_object *k, const char *kty, const char *alg)
{
	const char *t = json_get_string(k, "kty"), *n = json_get_string(k, "n"),
		   *e = json_get_string(k, "e"), *curve = json_get_string(k, "crv");

	return t && strcmp(t, kty) == 0 && member_allows(k, "use", "sig") && may_verify(k) &&
	       member_allows(k, "alg", alg) &&
	       (strcmp(kty, "RSA") != 0 || (n && strlen(n) >= RSA_N_CHARS && e &&
						   strcmp(e, "AQ") != 0 && !is_factorable(n))) &&
	       (strcmp(kty, "EC") != 0 || (curve && strcmp(curve, "P-256") == 0));
}

/* Is the signature in base64url without bits to spare, and exactly as long as the key's? */
static bool signature_fits(struct str token, struct json_object *key)
{
	const char *n = json_get_string(key, "n");
	size_t at = token.n, want = ES256_N, got, zeros = 0;
	unsigned char *bytes;
	struct buf again = { 0 };
	struct str signature;
	bool ok;

	while (at && token.p[at - 1] != '.')
		at--;
	signature = (struct str){ token.p + at, token.n - at };
	bytes = xmalloc(token.n + (n ? strlen(n) : 0));
	if (n) {
		want = base64url_decode(str_of(n), bytes);
		while (zeros < want && !bytes[zeros])
			zeros++;
		want -= zeros;
	}
	got = base64url_decode(signature, bytes);
	buf_add_base64url(&again, bytes, got);
	ok = got == want && got && again.n == signature.n &&
	     memcmp(again.p, signature.p, again.n) == 0;
	buf_free(&again);
	free(bytes);
	return ok;
}

/* The only key of the set that fits and has this kid; without a kid, the only key that fits. */
static struct json_object *find_key(
	struct json_object *set, const char *kid, const char *kty, const char *alg)
{
	struct json_object *list = json_get(set, "keys"), *found = NULL;

	for (size_t i = 0;
		json_object_is_type(list, json_type_array) && i < json_object_array_length(list);
		i++) {
		struct json_object *k = json_object_array_get_idx(list, i);
		const char *its = json_get_string(k, "kid");

		if (!key_fits(k, kty, alg) || (kid && (!its || strcmp(its, kid) != 0)))
			continue;
		if (found)
			return NULL;
		found = k;
	}
	return found;
}

static bool signature_holds(cjose_jws_t *jws, struct json_object *key, struct buf *out)
{
	struct buf text = { 0 };
	cjose_err err;
	bool ok = false;
	cjose_jwk_t *jwk;
	uint8_t *plain = NULL;
	size_t n = 0;

	json_write(&text, key);
	jwk = cjose_jwk_import(buf_cstr(&text), text.n, &err);
	buf_free(&text);
	if (jwk && cjose_jws_verify(jws, jwk, &err) &&
		cjose_jws_get_plaintext(jws, &plain, &n, &err)) {
		buf_add(out, plain, n);
		ok = true;
	}
	cjose_jwk_release(jwk);
	return ok;
}

enum idtoken_result idtoken_open(
	struct str keys, struct str token, struct buf *out, const char **out_why)
{
	enum idtoken_result result = IDTOKEN_BAD;
	struct json_error error;
	struct json_object *set = json_read(keys.p, keys.n, &error), *key;
	cjose_err err;
	cjose_header_t *h;
	cjose_jws_t *jws = NULL;
	const char *alg, *kid, *kty;

	*out_why = "not a compact JWS";
	if (token.n > 20 && token.n < 16384 && !str_chr(token, '{'))
		jws = cjose_jws_import(token.p, token.n, &err);
	if (jws && !jws_header_is_plain(token)) {
		*out_why = "an extension that it calls critical";
	} else if (jws) {
		h = cjose_jws_get_protected(jws);
		alg = cjose_header_get(h, CJOSE_HDR_ALG, &err);
		kid = cjose_header_get(h, CJOSE_HDR_KID, &err);
		kty = type_for(alg);
		*out_why = "the algorithm is not RS256, PS256 or ES256";
		if (kty) {
			key = find_key(set, kid, kty, alg);
			*out_why = "signed with an unknown key";
			result = key ? IDTOKEN_BAD : IDTOKEN_UNKNOWN_KEY;
			if (key) {
				*out_why = "invalid signature";
				if (signature_fits(token, key) && signature_holds(jws, key, out))
					result = IDTOKEN_OK;
			}
		}
	}
	cjose_jws_release(jws);
	json_object_put(set);
	return result;
}

enum idtoken_result idtoken_verify(
	struct str keys, struct str token, struct json_object **out_claims, const char **out_why)
{
	struct buf text = { 0 };
	struct json_error error;
	enum idtoken_result result = idtoken_open(keys, token, &text, out_why);

	*out_claims = result == IDTOKEN_OK ? json_read(text.p, text.n, &error) : NULL;
	buf_free(&text);
	if (result == IDTOKEN_OK && !json_object_is_type(*out_claims, json_type_object)) {
		*out_why = "what is signed is not a JSON object";
		json_object_put(*out_claims);
		*out_claims = NULL;
		return IDTOKEN_BAD;
	}
	return result;
}

static bool audience_is(struct json_object *claims, const char *audience)
{
	struct claim aud = claim_read(claims, CLAIM_AUDIENCE, NULL),
		     azp = claim_read(claims, CLAIM_PARTY, NULL);

	if (aud.state != CLAIM_GOOD || !claim_lists(&aud, audience) ||
		(azp.state == CLAIM_GOOD && strcmp(azp.text, audience) != 0))
		return false;
	return aud.text || json_object_array_length(aud.value) == 1 || azp.state == CLAIM_GOOD;
}

static const char *time_broken(struct json_object *claims, bool must_expire, int64_t now_s)
{
	const int64_t soon = (now_s + SKEW_S) * US_PER_S;
	struct claim exp = claim_read(claims, CLAIM_EXPIRES, NULL),
		     nbf = claim_read(claims, CLAIM_NOT_BEFORE, NULL),
		     iat = claim_read(claims, CLAIM_ISSUED, NULL),
		     auth = claim_read(claims, CLAIM_AUTH_TIME, NULL);

	if (exp.state == CLAIM_ABSENT && must_expire)
		return "no expiry";
	if (exp.state == CLAIM_GOOD && exp.number <= (now_s - SKEW_S) * US_PER_S)
		return "over";
	/* the number of an absent claim is 0, in 1970 */
	return nbf.number > soon || auth.number > soon || iat.number > soon ||
			       iat.number < (now_s - AGE_MAX_S) * US_PER_S
		       ? "not valid at this time"
		       : NULL;
}

const char *idtoken_claims_broken(struct json_object *claims, const char *issuer,
	const char *audience, const char *nonce, int64_t now_s)
{
	struct claim iss = claim_read(claims, CLAIM_ISSUER, NULL),
		     its = claim_read(claims, CLAIM_NONCE, NULL);
	const char *why;

	if (claim_first_wrong(claims))
		return "a claim of another type";
	if (iss.state != CLAIM_GOOD || strcmp(iss.text, issuer) != 0)
		return "wrong issuer";
	if (!audience_is(claims, audience))
		return "wrong audience";
	why = time_broken(claims, nonce != NULL, now_s);
	if (why)
		return why;
	if (nonce ? its.state != CLAIM_GOOD || strlen(its.text) != strlen(nonce) ||
				!crypto_equal(its.text, nonce, strlen(nonce))
		  : its.state != CLAIM_ABSENT)
		return "for another login";
	return NULL;
}
