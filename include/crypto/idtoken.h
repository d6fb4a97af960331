/* SPDX-License-Identifier: Apache-2.0
 * Tokens of others (OpenID Connect Core 1.0, 3.1.3.7): signed by a key of the issuer's own set,
 * with an algorithm of ours to choose, for us, now, for this log-in. What a token says of its own
 * keys (jku, jwk, x5u) is not read. */
#ifndef SLADESK_CRYPTO_IDTOKEN_H
#define SLADESK_CRYPTO_IDTOKEN_H

#include "base/json.h"

enum idtoken_result { IDTOKEN_OK, IDTOKEN_UNKNOWN_KEY, IDTOKEN_BAD };

/* Check TOKEN's signature by the JWK Set KEYS (JSON): RS256, PS256 or ES256 only; RSA of 2048 bits
 * at least. On OK *OUT_CLAIMS is the caller's; else *OUT_WHY says what is wrong, in words for a
 * log. */
enum idtoken_result idtoken_verify(struct str keys, struct str token,
	struct json_object **out_claims, const char **out_why) MUST_USE;

/* Do the claims hold: iss, aud (azp when there are several), exp, nbf, iat, and NONCE (NULL: it
 * must not have one: a log-out token)? NULL, or what does not. */
const char *idtoken_claims_broken(struct json_object *claims, const char *issuer,
	const char *audience, const char *nonce, int64_t now_s);

#endif
