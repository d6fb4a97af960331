/* SPDX-License-Identifier: Apache-2.0
 * Personal fields at rest: AES-256-GCM under data keys, each wrapped by the master key. A value
 * says which key it is under: e1.<key>.<base64url of nonce, text, tag>; the column's name is
 * authenticated with it, so that it cannot be moved into another column. Equality is looked up by a
 * keyed digest (blind index) under a key of its own. A text that is no such value is what it is:
 * rows of before are read as they are. */
#ifndef SLADESK_CRYPTO_FIELD_H
#define SLADESK_CRYPTO_FIELD_H

#include "base/base.h"

#define FIELD_KEY_BYTES 32
#define FIELD_WRAPPED_BYTES (12 + FIELD_KEY_BYTES + 16)
#define FIELD_INDEX_KEY 0 /* the id of the key of blind indexes; data keys count from 1 */

/* A new random key ID, wrapped by MASTER. */
void field_key_make(const unsigned char master[FIELD_KEY_BYTES], int64_t id,
	unsigned char out[FIELD_WRAPPED_BYTES]);
/* Unwrap and keep it; FROM_S: when it begins to be used for new values. False when MASTER does not
 * open it. */
bool field_key_add(const unsigned char master[FIELD_KEY_BYTES], int64_t id, const void *wrapped,
	size_t n, int64_t from_s);
/* The same key under another master key. */
bool field_key_rewrap(const unsigned char from[FIELD_KEY_BYTES],
	const unsigned char to[FIELD_KEY_BYTES], int64_t id, const void *wrapped, size_t n,
	unsigned char out[FIELD_WRAPPED_BYTES]);
/* A key of 32 bytes in a box that KEY opens. */
void field_box_seal(const unsigned char key[FIELD_KEY_BYTES],
	const unsigned char bytes[FIELD_KEY_BYTES], unsigned char out[FIELD_WRAPPED_BYTES]);
/* Decrypt what field_box_seal made; false when KEY is another or the bytes were changed. */
bool field_box_open(const unsigned char key[FIELD_KEY_BYTES],
	const unsigned char box[FIELD_WRAPPED_BYTES], unsigned char out[FIELD_KEY_BYTES]) MUST_USE;
/* Forget all keys. */
void field_keys_free(void);
/* Are there keys? Without them nothing can be sealed or opened. */
bool field_keys_ready(void);
/* The data key that new values get at NOW_S: the newest that has begun, or the first of all when a
 * clock went back before it. 0: none is here. */
int64_t field_key_current(int64_t now_s);

/* TEXT, encrypted, at the end of B. */
void field_seal(struct buf *b, const char *column, struct str text, int64_t now_s);
/* Is V a sealed value? Under which key? (0: it is none) */
int64_t field_key_of(struct str v);
/* The text of V at the end of B: decrypted, or V itself when it is not sealed. False, nothing
 * added: its key is not here, or it is not what was sealed. */
bool field_open(struct buf *b, const char *column, struct str v);
/* The blind index of TEXT (lower-cased ASCII) in a tenant's column, as hex. */
void field_index(const char *column, int64_t tenant_id, struct str text, char out[65]);

#endif
