/* SPDX-License-Identifier: Apache-2.0
 * Fields at rest: AES-256-GCM under data keys, each wrapped by the master key. A value names its
 * key: e2.<key>.<base64url of nonce, text, tag>. Its place, table.column:tenant:row, is
 * authenticated, so that who writes the database cannot move it to another row, tenant or column,
 * nor put a plain text there. Look-ups by equality use a keyed digest (blind index) under a key of
 * its own.
 *
 * An earlier version wrote format e1, which authenticated the column's name only, or plain texts.
 * They are accepted while the daemon encrypts them anew (feature/sealing), and only while a mark of
 * the column says so, which nobody can make without the key. A mark has an end, so that a copy of
 * it is worth nothing later. Without a mark nothing old is accepted: to remove rows opens no door.
 *
 * Audit rows keep format e1: their chain covers the stored bytes, and thereby the place. Entries of
 * the cache in Redis name their key. */
#ifndef SLADESK_CRYPTO_FIELD_H
#define SLADESK_CRYPTO_FIELD_H

#include "base/base.h"

#define FIELD_KEY_BYTES 32
#define FIELD_WRAPPED_BYTES (12 + FIELD_KEY_BYTES + 16)
#define FIELD_INDEX_KEY 0     /* the key of blind indexes */
#define FIELD_PLACED_KEY 1000 /* data keys from here on encrypt values with their place */

enum field_column {
#define FIELD_COLUMN(id, name, old) FIELD_##id,
#include "crypto/sealed.def"
#undef FIELD_COLUMN
	FIELD_COLUMNS
};

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

/* Is there a key that encrypts values with their place? */
bool field_placed(void);

/* --- values with their place --- */

/* table.column */
const char *field_column_name(enum field_column c);
/* Append the place table.column:tenant:row to B. ROW is what sealed_row() in SQL says of the row.
 */
void field_place(struct buf *b, enum field_column c, int64_t tenant_id, const char *row);
/* Encrypt TEXT for a place and append it to B. */
void field_seal_at(struct buf *b, enum field_column c, int64_t tenant_id, const char *row,
	struct str text, int64_t now_s);
/* The same for a place as field_place writes it. */
void field_seal_place(struct buf *b, struct str place, struct str text, int64_t now_s);
/* Append the text of V, which was read at PLACE, to B. Returns false, appends nothing, logs the
 * place and counts, if V was not written there by us. */
bool field_open_place(struct buf *b, struct str place, struct str v) MUST_USE;
/* How many values were refused. */
uint64_t field_refused(void);

/* --- values of an earlier version --- */

/* Accept them in this column until an instant, which a mark gave; 0: no longer. What has ended does
 * not begin again in this process. */
void field_old_accept(enum field_column c, int64_t until_s);
/* Are they accepted? */
bool field_old_accepted(enum field_column c);
/* The instant; 0: there is no mark. */
int64_t field_old_until(enum field_column c);
/* Accept them everywhere: somebody runs sladesk keys seal. */
void field_old_by_hand(void);
/* Append a mark that ends at UNTIL_S to B, under key ID, which is not loaded yet. */
void field_mark(struct buf *b, enum field_column c, const unsigned char master[FIELD_KEY_BYTES],
	int64_t id, const unsigned char wrapped[FIELD_WRAPPED_BYTES], int64_t until_s);
/* The same under the current key. */
void field_mark_renew(struct buf *b, enum field_column c, int64_t until_s, int64_t now_s);
/* When the mark V ends; 0: it is none. */
int64_t field_mark_read(enum field_column c, struct str v);

/* --- values with a name --- */

#define FIELD_NAME_MAX 80
/* The name that a tenant's values of a field are authenticated with. */
void field_name(const char *field, int64_t tenant_id, char out[FIELD_NAME_MAX]);
/* Encrypt TEXT, authenticate NAME, and append it to B in format e1. */
void field_seal(struct buf *b, const char *name, struct str text, int64_t now_s);
/* The id of the key that V is encrypted with; 0 if V is not an encrypted value. */
int64_t field_key_of(struct str v);
/* Append the text of V to B: decrypted, or V itself if it is not encrypted. Returns false and
 * appends nothing if the key is not loaded or the value was tampered with. */
bool field_open(struct buf *b, const char *name, struct str v);
#define FIELD_INDEX_MAX 65
/* The blind index of TEXT (lower-cased ASCII) for a tenant's column, in hex. TENANT_ID 0: for all
 * tenants. */
void field_index(const char *column, int64_t tenant_id, struct str text, char out[FIELD_INDEX_MAX]);
#define FIELD_MAIL_INDEX_MAX 129
/* Both blind indexes of a mail address, as email_index of client_users and staff has them: within
 * the tenant, then for all tenants. */
void field_mail_index(int64_t tenant_id, struct str mail, char out[FIELD_MAIL_INDEX_MAX]);
/* Append {at, place, old, new, index} of VALUE, encrypted anew at its PLACE, to the JSON array
 * ROWS, which begins with its bracket (sealed_put() in schema/code/017_sealed.sql stores it). AT is
 * its position in the table, as PostgreSQL writes it. Returns false and appends nothing if VALUE is
 * refused. */
bool field_reseal(struct buf *rows, struct str at, struct str place, struct str value,
	int64_t now_s) MUST_USE;

#endif
