/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/idtoken.h"
#include "crypto/crypto.h"

#include <cjose/cjose.h>
#include <stdlib.h>

#define RSA_N_CHARS 342 /* base64url of 2048 bits */
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

static bool key_fits(struct json_object *k, const char *kty, const char *alg)
{
	const char *t = json_get_string(k, "kty"), *use = json_get_string(k, "use"),
		   *a = json_get_string(k, "alg"), *n = json_get_string(k, "n"),
		   *curve = json_get_string(k, "crv");

	return t && strcmp(t, kty) == 0 && (!use || strcmp(use, "sig") == 0) &&
	       (!a || strcmp(a, alg) == 0) &&
	       (strcmp(kty, "RSA") != 0 || (n && strlen(n) >= RSA_N_CHARS)) &&
	       (strcmp(kty, "EC") != 0 || (curve && strcmp(curve, "P-256") == 0));
}

/* The key of the set with this kid; without a kid, the only key that fits. */
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
		if (kid)
			return k;
		if (found)
			return NULL;
		found = k;
	}
	return found;
}

static bool signature_holds(
	cjose_jws_t *jws, struct json_object *key, struct json_object **out_claims)
{
	struct buf text = { 0 };
	struct json_error error;
	cjose_err err;
	cjose_jwk_t *jwk;
	uint8_t *plain = NULL;
	size_t n = 0;

	json_write(&text, key);
	jwk = cjose_jwk_import(buf_cstr(&text), text.n, &err);
	buf_free(&text);
	if (jwk && cjose_jws_verify(jws, jwk, &err) &&
		cjose_jws_get_plaintext(jws, &plain, &n, &err))
		*out_claims = json_read((const char *)plain, n, &error);
	cjose_jwk_release(jwk);
	return json_object_is_type(*out_claims, json_type_object);
}

enum idtoken_result idtoken_verify(
	struct str keys, struct str token, struct json_object **out_claims, const char **out_why)
{
	enum idtoken_result result = IDTOKEN_BAD;
	struct json_error error;
	struct json_object *set = json_read(keys.p, keys.n, &error), *key;
	cjose_err err;
	cjose_header_t *h;
	cjose_jws_t *jws = NULL;
	const char *alg, *kid, *kty;

	*out_claims = NULL;
	*out_why = "not a compact JWS";
	if (token.n > 20 && token.n < 16384 && !memchr(token.p, '{', token.n))
		jws = cjose_jws_import(token.p, token.n, &err);
	if (jws) {
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
				if (signature_holds(jws, key, out_claims))
					result = IDTOKEN_OK;
			}
		}
	}
	if (result != IDTOKEN_OK) {
		json_object_put(*out_claims);
		*out_claims = NULL;
	}
	cjose_jws_release(jws);
	json_object_put(set);
	return result;
}

static bool audience_is(struct json_object *claims, const char *audience)
{
	struct json_object *aud = json_get(claims, "aud");
	const char *azp = json_get_string(claims, "azp");
	size_t n;
	bool found = false;

	if (azp && strcmp(azp, audience) != 0)
		return false;
	if (json_object_is_type(aud, json_type_string))
		return str_is(json_str(aud), audience);
	n = json_object_is_type(aud, json_type_array) ? json_object_array_length(aud) : 0;
	for (size_t i = 0; i < n; i++) {
		struct json_object *one = json_object_array_get_idx(aud, i);

		found |= json_object_is_type(one, json_type_string) &&
			 str_is(json_str(one), audience);
	}
	return found && (n == 1 || azp);
}

const char *idtoken_claims_broken(struct json_object *claims, const char *issuer,
	const char *audience, const char *nonce, int64_t now_s)
{
	const char *iss = json_get_string(claims, "iss"), *its = json_get_string(claims, "nonce");
	int64_t exp = json_get_int(claims, "exp", 0), iat = json_get_int(claims, "iat", 0),
		nbf = json_get_int(claims, "nbf", 0);

	if (!iss || strcmp(iss, issuer) != 0)
		return "wrong issuer";
	if (!audience_is(claims, audience))
		return "wrong audience";
	if (exp && exp <= now_s - SKEW_S)
		return "over";
	if (!exp && nonce)
		return "no expiry";
	if (nbf > now_s + SKEW_S || iat > now_s + SKEW_S || iat < now_s - AGE_MAX_S)
		return "not valid at this time";
	if (nonce ? !its || strlen(its) != strlen(nonce) || !crypto_equal(its, nonce, strlen(nonce))
		  : its != NULL)
		return "for another login";
	return NULL;
}
