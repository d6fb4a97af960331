/* SPDX-License-Identifier: Apache-2.0
 * A layer over OpenSSL and cjose: digests, random bytes, comparison in constant time, and our own
 * access tokens (JWT, ES256). These calls run on the loop. */
#ifndef SLADESK_CRYPTO_CRYPTO_H
#define SLADESK_CRYPTO_CRYPTO_H

#include "base/base.h"

/* Put N random bytes into OUT. Aborts if the system has none. */
void crypto_random(void *out, size_t n);
/* SHA-256 (FIPS 180-4) of the N bytes at P. */
void crypto_sha256(const void *p, size_t n, unsigned char out[32]);
/* The same as lower-case hexadecimal digits with a NUL. */
void crypto_sha256_hex(const void *p, size_t n, char out[65]);
/* HMAC-SHA-256 (RFC 2104) of the data under KEY. */
void crypto_hmac_sha256(
	const void *key, size_t key_n, const void *p, size_t n, unsigned char out[32]);
/* Compare N bytes in constant time. */
bool crypto_equal(const void *a, const void *b, size_t n);
/* N random bytes as lower-case hex into OUT (2N + 1). */
void crypto_random_hex(char *out, size_t n);
/* Append the N bytes at P in base64 (RFC 4648, with padding). */
void buf_add_base64(struct buf *b, const void *p, size_t n);
/* Append the N bytes at P in base64url (RFC 4648, section 5) without padding. */
void buf_add_base64url(struct buf *b, const void *p, size_t n);
/* Decode S into OUT, which needs at least S.n * 3 / 4 + 1 bytes. Returns the length, or 0 if S is
 * not base64url. */
size_t base64url_decode(struct str s, unsigned char *out);

/* Load the signing keys. TEXT is a JWK Set of private EC P-256 keys with kid and "created"
 * (seconds), or one such key. Every key is tried out. Returns false and changes nothing if TEXT is
 * not usable. */
bool token_keys_load(const char *text, size_t n);
/* Return the set TEXT (NULL: none yet) with a new key, and without the keys that no token needs any
 * more. The caller frees the result. AT_ONCE: return the new key alone; it signs from now on, and
 * all earlier tokens are invalid. */
char *token_keys_rotate(const char *text, size_t n, int64_t now_s, bool at_once) MUST_USE;
/* The creation time of the newest key in seconds; 0 if unknown. */
int64_t token_keys_newest_s(void);
/* The public halves, as a JWK Set (RFC 7517). */
void token_keys_public(struct buf *b);
/* Wipe and release the signing keys. */
void token_keys_free(void);

/* The purpose of a token. Its typ header states the purpose, and a token is not accepted for
 * another purpose. */
enum token_use {
	TOKEN_ACCESS,
	TOKEN_RESET,
	TOKEN_STEP,
	TOKEN_LINK,
	TOKEN_ADDRESS,
	TOKEN_CHALLENGE
};
struct token_claims {
	int64_t tenant_id, session_id;
	int64_t expires_s; /* seconds since 1970 */
	uint64_t key;      /* the key that signed it; set by token_verify */
};
/* Sign a token; the caller frees it. */
char *token_sign(enum token_use use, const struct token_claims *c, int64_t now_s) MUST_USE;
/* Check a token: compact form, alg ES256, a kid of ours, the typ of USE, signature, issuer,
 * audience, exp and nbf. */
bool token_verify(
	enum token_use use, const char *p, size_t n, int64_t now_s, struct token_claims *out);
/* Is KEY of an earlier token_verify still one of our keys? */
bool token_key_is_ours(uint64_t key);

#endif
