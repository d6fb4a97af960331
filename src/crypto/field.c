/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/field.h"
#include "crypto/crypto.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#define NONCE 12
#define TAG 16
#define KEYS_MAX 256

struct key {
	int64_t id, from_s;
	unsigned char bytes[FIELD_KEY_BYTES];
};

static struct key keys[KEYS_MAX];
static size_t key_count;

/* --- AES-256-GCM --- */

/* Encrypt the N bytes at P into OUT as NONCE, ciphertext and TAG. The nonce is 96 random bits; a
 * key is replaced long before 2^32 values. */
static void seal(const unsigned char key[FIELD_KEY_BYTES], const char *aad, const void *p, size_t n,
	unsigned char *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int len;

	crypto_random(out, NONCE);
	bug_on(!ctx || EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, out) != 1 ||
		EVP_EncryptUpdate(ctx, NULL, &len, (const unsigned char *)aad, (int)strlen(aad)) !=
			1 ||
		EVP_EncryptUpdate(ctx, out + NONCE, &len, p, (int)n) != 1 ||
		EVP_EncryptFinal_ex(ctx, out + NONCE + n, &len) != 1 ||
		EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG, out + NONCE + n) != 1);
	EVP_CIPHER_CTX_free(ctx);
}

/* Decrypt. N is the length that seal produced; OUT gets N - NONCE - TAG bytes. */
static bool open_sealed(const unsigned char key[FIELD_KEY_BYTES], const char *aad,
	const unsigned char *p, size_t n, unsigned char *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	size_t text = n - NONCE - TAG;
	unsigned char tag[TAG];
	int len;
	bool ok;

	bug_on(!ctx || n < NONCE + TAG);
	memcpy(tag, p + NONCE + text, TAG);
	ok = EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, p) == 1 &&
	     EVP_DecryptUpdate(ctx, NULL, &len, (const unsigned char *)aad, (int)strlen(aad)) ==
		     1 &&
	     EVP_DecryptUpdate(ctx, out, &len, p + NONCE, (int)text) == 1 &&
	     EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG, tag) == 1 &&
	     EVP_DecryptFinal_ex(ctx, out + text, &len) == 1;
	EVP_CIPHER_CTX_free(ctx);
	return ok;
}

/* --- keys --- */

static void key_aad(int64_t id, char out[40])
{
	snprintf(out, 40, "sladesk key %lld", (long long)id);
}

void field_key_make(const unsigned char master[FIELD_KEY_BYTES], int64_t id,
	unsigned char out[FIELD_WRAPPED_BYTES])
{
	unsigned char key[FIELD_KEY_BYTES];
	char aad[40];

	key_aad(id, aad);
	crypto_random(key, sizeof(key));
	seal(master, aad, key, sizeof(key), out);
	OPENSSL_cleanse(key, sizeof(key));
}

static bool unwrap(
	const unsigned char *master, int64_t id, const void *wrapped, size_t n, unsigned char *out)
{
	char aad[40];

	key_aad(id, aad);
	return n == FIELD_WRAPPED_BYTES && open_sealed(master, aad, wrapped, n, out);
}

static struct key *find_key(int64_t id)
{
	for (size_t i = 0; i < key_count; i++)
		if (keys[i].id == id)
			return &keys[i];
	return NULL;
}

bool field_key_add(const unsigned char master[FIELD_KEY_BYTES], int64_t id, const void *wrapped,
	size_t n, int64_t from_s)
{
	struct key k = { .id = id, .from_s = from_s };

	if (find_key(id))
		return true;
	if (key_count == KEYS_MAX || !unwrap(master, id, wrapped, n, k.bytes))
		return false;
	keys[key_count++] = k;
	OPENSSL_cleanse(&k, sizeof(k));
	return true;
}

bool field_key_rewrap(const unsigned char from[FIELD_KEY_BYTES],
	const unsigned char to[FIELD_KEY_BYTES], int64_t id, const void *wrapped, size_t n,
	unsigned char out[FIELD_WRAPPED_BYTES])
{
	unsigned char key[FIELD_KEY_BYTES];
	char aad[40];

	if (!unwrap(from, id, wrapped, n, key))
		return false;
	key_aad(id, aad);
	seal(to, aad, key, sizeof(key), out);
	OPENSSL_cleanse(key, sizeof(key));
	return true;
}

void field_box_seal(const unsigned char key[FIELD_KEY_BYTES],
	const unsigned char bytes[FIELD_KEY_BYTES], unsigned char out[FIELD_WRAPPED_BYTES])
{
	seal(key, "sladesk box", bytes, FIELD_KEY_BYTES, out);
}

bool field_box_open(const unsigned char key[FIELD_KEY_BYTES],
	const unsigned char box[FIELD_WRAPPED_BYTES], unsigned char out[FIELD_KEY_BYTES])
{
	return open_sealed(key, "sladesk box", box, FIELD_WRAPPED_BYTES, out);
}

void field_keys_free(void)
{
	OPENSSL_cleanse(keys, sizeof(keys));
	key_count = 0;
}

int64_t field_key_current(int64_t now_s)
{
	int64_t id = 0, first = 0;

	for (size_t i = 0; i < key_count; i++) {
		if (keys[i].id != FIELD_INDEX_KEY && (!first || keys[i].id < first))
			first = keys[i].id;
		if (keys[i].from_s <= now_s && keys[i].id > id)
			id = keys[i].id;
	}
	return id ? id : first;
}

bool field_keys_ready(void)
{
	return find_key(FIELD_INDEX_KEY) && field_key_current(INT64_MAX) > 0;
}

/* --- values --- */

void field_name(const char *field, int64_t tenant_id, char out[FIELD_NAME_MAX])
{
	snprintf(out, FIELD_NAME_MAX, "%s:%lld", field, (long long)tenant_id);
}

void field_seal(struct buf *b, const char *column, struct str text, int64_t now_s)
{
	const struct key *k = find_key(field_key_current(now_s));
	unsigned char *raw = xmalloc(NONCE + text.n + TAG);

	bug_on(!k || k->id == FIELD_INDEX_KEY);
	seal(k->bytes, column, text.p, text.n, raw);
	buf_addf(b, "e1.%lld.", (long long)k->id);
	buf_add_base64url(b, raw, NONCE + text.n + TAG);
	free(raw);
}

static int64_t split(struct str v, struct str *out_data)
{
	const char *dot;
	int64_t id;

	if (v.n < 8 || memcmp(v.p, "e1.", 3) != 0)
		return 0;
	dot = memchr(v.p + 3, '.', v.n - 3);
	if (!dot ||
		!str_to_int((struct str){ v.p + 3, (size_t)(dot - v.p) - 3 }, 1, INT32_MAX, &id))
		return 0;
	*out_data = (struct str){ dot + 1, (size_t)(v.p + v.n - dot) - 1 };
	return id;
}

int64_t field_key_of(struct str v)
{
	struct str data;

	return split(v, &data);
}

bool field_open(struct buf *b, const char *column, struct str v)
{
	struct str data;
	int64_t id = split(v, &data);
	const struct key *k = id ? find_key(id) : NULL;
	unsigned char *raw;
	size_t n;
	bool ok;

	if (!id) {
		buf_add(b, v.p, v.n);
		return true;
	}
	if (!k)
		return false;
	raw = xmalloc(data.n + 3);
	n = base64url_decode(data, raw);
	ok = n >= NONCE + TAG;
	if (ok) {
		buf_reserve(b, n);
		ok = open_sealed(k->bytes, column, raw, n, (unsigned char *)b->p + b->n);
		b->n += ok ? n - NONCE - TAG : 0;
	}
	free(raw);
	return ok;
}

void field_index(const char *column, int64_t tenant_id, struct str text, char out[65])
{
	const struct key *k = find_key(FIELD_INDEX_KEY);
	struct buf b = { 0 };
	unsigned char d[32];

	bug_on(!k);
	buf_addf(&b, "%s:%lld:", column, (long long)tenant_id);
	for (size_t i = 0; i < text.n; i++)
		buf_addc(&b,
			(char)(text.p[i] >= 'A' && text.p[i] <= 'Z' ? text.p[i] + 32 : text.p[i]));
	crypto_hmac_sha256(k->bytes, sizeof(k->bytes), b.p, b.n, d);
	for (int i = 0; i < 32; i++)
		snprintf(out + 2 * i, 3, "%02x", d[i]);
	buf_free(&b);
}
