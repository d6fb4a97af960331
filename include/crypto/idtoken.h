/* SPDX-License-Identifier: Apache-2.0
 * Tokens of other issuers (OpenID Connect Core 1.0, section 3.1.3.7). A token must be signed by a
 * key in the issuer's own set, with an algorithm that we allow, for us, for the present time, and
 * for this login. Keys that the token itself names (jku, jwk, x5u) are ignored. */
#ifndef SLADESK_CRYPTO_IDTOKEN_H
#define SLADESK_CRYPTO_IDTOKEN_H

#include "base/claim.h"

enum idtoken_result { IDTOKEN_OK, IDTOKEN_UNKNOWN_KEY, IDTOKEN_BAD };

/* Check TOKEN's signature with the JWK Set KEYS (JSON): RS256, PS256 or ES256 only, RSA keys of
 * 2048 bits or more, keys whose use, key_ops and alg allow it, and a signature that is exactly as
 * long as the key's. On IDTOKEN_OK, OUT holds what was signed; otherwise *OUT_WHY is a reason for
 * the log. */
enum idtoken_result idtoken_open(
	struct str keys, struct str token, struct buf *out, const char **out_why) MUST_USE;
/* The same for a token of claims. On IDTOKEN_OK the caller owns *OUT_CLAIMS. */
enum idtoken_result idtoken_verify(struct str keys, struct str token,
	struct json_object **out_claims, const char **out_why) MUST_USE;

/* Check the types of all claims that must fit (base/claim.h), then iss, aud (azp if there are
 * several), exp, nbf, iat, auth_time, and NONCE (NULL: a logout token, which must not have one).
 * Returns NULL, or the reason why they are refused. */
const char *idtoken_claims_broken(struct json_object *claims, const char *issuer,
	const char *audience, const char *nonce, int64_t now_s);

#endif
