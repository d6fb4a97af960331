/* SPDX-License-Identifier: Apache-2.0
 * Personal fields at rest: AES-256-GCM under data keys, each wrapped by the master key. A value
 * names its key: e1.<key>.<base64url of nonce, text, tag>. The column's name is authenticated, so
 * that a value cannot be moved to another column. Look-ups by equality use a keyed digest (blind
 * index) under a key of its own. A text in another form is returned unchanged, so that rows from
 * before encryption can still be read. */
#ifndef SLADESK_CRYPTO_FIELD_H
#define SLADESK_CRYPTO_FIELD_H

#include "base/base.h"

#define FIELD_KEY_BYTES 32
#define FIELD_WRAPPED_BYTES (12 + FIELD_KEY_BYTES + 16)
#define FIELD_INDEX_KEY 0 /* the key of blind indexes; the ids of data keys start at 1 */

/* Create a random key ID, wrapped by MASTER. */
void field_key_make(const unsigned char master[FIELD_KEY_BYTES], int64_t id,
	unsigned char out[FIELD_WRAPPED_BYTES]);
/* Unwrap a key and keep it. New values use it from FROM_S on. Returns false if MASTER does not
 * decrypt it. */
bool field_key_add(const unsigned char master[FIELD_KEY_BYTES], int64_t id, const void *wrapped,
	size_t n, int64_t from_s);
/* Wrap the same key with another master key. */
bool field_key_rewrap(const unsigned char from[FIELD_KEY_BYTES],
	const unsigned char to[FIELD_KEY_BYTES], int64_t id, const void *wrapped, size_t n,
	unsigned char out[FIELD_WRAPPED_BYTES]);
/* Encrypt the 32 bytes of a key with KEY. */
void field_box_seal(const unsigned char key[FIELD_KEY_BYTES],
	const unsigned char bytes[FIELD_KEY_BYTES], unsigned char out[FIELD_WRAPPED_BYTES]);
/* Decrypt what field_box_seal produced. Returns false if KEY is wrong or the bytes were changed. */
bool field_box_open(const unsigned char key[FIELD_KEY_BYTES],
	const unsigned char box[FIELD_WRAPPED_BYTES], unsigned char out[FIELD_KEY_BYTES]) MUST_USE;
/* Forget all keys. */
void field_keys_free(void);
/* Are keys loaded? Without them nothing can be encrypted or decrypted. */
bool field_keys_ready(void);
/* The data key for new values at NOW_S: the newest key whose time has come, or the oldest key if
 * the clock was set back before all of them. 0: no key is loaded. */
int64_t field_key_current(int64_t now_s);

#define FIELD_NAME_MAX 80
/* The name that a tenant's values of a field are authenticated with, so that a value cannot be
 * moved to another tenant either. */
void field_name(const char *field, int64_t tenant_id, char out[FIELD_NAME_MAX]);
/* Encrypt TEXT and append it to B. */
void field_seal(struct buf *b, const char *column, struct str text, int64_t now_s);
/* The id of the key that V is encrypted with; 0 if V is not an encrypted value. */
int64_t field_key_of(struct str v);
/* Append the text of V to B: decrypted, or V itself if it is not encrypted. Returns false and
 * appends nothing if the key is not loaded or the value was tampered with. */
bool field_open(struct buf *b, const char *column, struct str v);
/* The blind index of TEXT (lower-cased ASCII) for a tenant's column, in hex. */
void field_index(const char *column, int64_t tenant_id, struct str text, char out[65]);

#endif
