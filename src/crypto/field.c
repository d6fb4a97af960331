/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/field.h"
#include "base/clock.h"
#include "base/log.h"
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

static const struct {
	const char *name, *old; /* old: what format e1 authenticated; NULL: table.column:tenant */
} columns[FIELD_COLUMNS] = {
#define FIELD_COLUMN(id, name, old) [FIELD_##id] = { name, old },
#include "crypto/sealed.def"
#undef FIELD_COLUMN
};
static struct {
	int64_t until_s; /* an earlier version's values are accepted until then */
	bool closed;     /* never again in this process */
} old_values[FIELD_COLUMNS];
static bool by_hand;
static uint64_t refused;

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
	memset(old_values, 0, sizeof(old_values));
	by_hand = false;
}

bool field_placed(void)
{
	for (size_t i = 0; i < key_count; i++)
		if (keys[i].id >= FIELD_PLACED_KEY)
			return true;
	return false;
}

/* Are values of an earlier version being encrypted anew? */
static bool changing_over(void)
{
	for (int c = 0; c < FIELD_COLUMNS; c++)
		if (old_values[c].until_s)
			return true;
	return false;
}

/* Once the change-over has ended, a clock that was set back does not lead back before it. */
int64_t field_key_current(int64_t now_s)
{
	int64_t id = 0, first = 0, from = field_placed() && !changing_over() ? FIELD_PLACED_KEY : 1;

	for (size_t i = 0; i < key_count; i++) {
		if (keys[i].id < from)
			continue;
		if (!first || keys[i].id < first)
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

/* Encrypt TEXT under K and append it to B in format E1 or E2. */
static void add_sealed(
	struct buf *b, char format, const struct key *k, const char *aad, struct str text)
{
	unsigned char *raw = xmalloc(NONCE + text.n + TAG);

	bug_on(!k || k->id == FIELD_INDEX_KEY);
	seal(k->bytes, aad, text.p, text.n, raw);
	buf_addf(b, "e%c.%lld.", format, (long long)k->id);
	buf_add_base64url(b, raw, NONCE + text.n + TAG);
	free(raw);
}

/* The id of the key of a value in FORMAT; 0 if it is none. */
static int64_t split(struct str v, char format, struct str *out_data)
{
	const char *dot;
	int64_t id;

	if (v.n < 8 || v.p[0] != 'e' || v.p[1] != format || v.p[2] != '.')
		return 0;
	dot = memchr(v.p + 3, '.', v.n - 3);
	if (!dot ||
		!str_to_int((struct str){ v.p + 3, (size_t)(dot - v.p) - 3 }, 1, INT32_MAX, &id))
		return 0;
	*out_data = (struct str){ dot + 1, (size_t)(v.p + v.n - dot) - 1 };
	return id;
}

/* Decrypt DATA and append it to B. */
static bool add_opened(struct buf *b, const struct key *k, const char *aad, struct str data)
{
	unsigned char *raw;
	size_t n;
	bool ok;

	if (!k)
		return false;
	raw = xmalloc(data.n + 3);
	n = base64url_decode(data, raw);
	ok = n >= NONCE + TAG;
	if (ok) {
		buf_reserve(b, n);
		ok = open_sealed(k->bytes, aad, raw, n, (unsigned char *)b->p + b->n);
		b->n += ok ? n - NONCE - TAG : 0;
	}
	free(raw);
	return ok;
}

void field_name(const char *field, int64_t tenant_id, char out[FIELD_NAME_MAX])
{
	snprintf(out, FIELD_NAME_MAX, "%s:%lld", field, (long long)tenant_id);
}

void field_seal(struct buf *b, const char *name, struct str text, int64_t now_s)
{
	add_sealed(b, '1', find_key(field_key_current(now_s)), name, text);
}

int64_t field_key_of(struct str v)
{
	struct str data;
	int64_t id = split(v, '1', &data);

	return id ? id : split(v, '2', &data);
}

bool field_open(struct buf *b, const char *name, struct str v)
{
	struct str data;
	int64_t id = split(v, '1', &data);

	if (!id) {
		buf_add(b, v.p, v.n);
		return true;
	}
	return add_opened(b, find_key(id), name, data);
}

/* --- values with their place --- */

const char *field_column_name(enum field_column c)
{
	return columns[c].name;
}

/* The column of a place; FIELD_COLUMNS if it names none. */
static enum field_column column_of(struct str place)
{
	const char *colon = str_chr(place, ':');
	int c = 0;

	while (c < FIELD_COLUMNS &&
		!(colon && str_is((struct str){ place.p, (size_t)(colon - place.p) },
				   columns[c].name)))
		c++;
	return (enum field_column)c;
}

/* What format e1 authenticated instead of PLACE. */
static void add_old_name(struct buf *b, enum field_column c, struct str place)
{
	const char *tenant = str_chr(place, ':'),
		   *row = tenant ? memchr(tenant + 1, ':', place.n - (size_t)(tenant + 1 - place.p))
				 : NULL;

	if (columns[c].old)
		buf_adds(b, columns[c].old);
	else
		buf_add(b, place.p, row ? (size_t)(row - place.p) : place.n);
}

void field_place(struct buf *b, enum field_column c, int64_t tenant_id, const char *row)
{
	buf_addf(b, "%s:%lld:%s", columns[c].name, (long long)tenant_id, row);
}

void field_seal_place(struct buf *b, struct str place, struct str text, int64_t now_s)
{
	const struct key *k = find_key(field_key_current(now_s));
	enum field_column c = column_of(place);
	struct buf aad = { 0 };

	bug_on(c == FIELD_COLUMNS || !k);
	if (k->id >= FIELD_PLACED_KEY)
		buf_add(&aad, place.p, place.n);
	else
		add_old_name(&aad, c, place);
	add_sealed(b, k->id >= FIELD_PLACED_KEY ? '2' : '1', k, buf_cstr(&aad), text);
	buf_free(&aad);
}

void field_seal_at(struct buf *b, enum field_column c, int64_t tenant_id, const char *row,
	struct str text, int64_t now_s)
{
	struct buf place = { 0 };

	field_place(&place, c, tenant_id, row);
	field_seal_place(b, (struct str){ place.p, place.n }, text, now_s);
	buf_free(&place);
}

/* A database that somebody else writes may hold many of them; the log gets ten a second. */
static void tell_refused(struct str place, const char *why)
{
	static int64_t second;
	static int told;
	int64_t now_s = clock_mono_us() / US_PER_S;

	refused++;
	if (now_s != second) {
		second = now_s;
		told = 0;
	}
	if (told++ < 10)
		log_error(NULL, "encrypted value refused place=\"%.*s\" why=\"%s\"",
			place.n < 200 ? (int)place.n : 200, place.p, why);
}

static bool open_old(struct buf *b, enum field_column c, struct str place, struct str v)
{
	struct buf name = { 0 };
	struct str data;
	int64_t id = split(v, '1', &data);
	bool ok = true;

	add_old_name(&name, c, place);
	if (id)
		ok = add_opened(b, find_key(id), buf_cstr(&name), data);
	else
		buf_add(b, v.p, v.n);
	buf_free(&name);
	return ok;
}

bool field_open_place(struct buf *b, struct str place, struct str v)
{
	enum field_column c = column_of(place);
	struct buf aad = { 0 };
	struct str data;
	int64_t id = split(v, '2', &data);
	const char *why = NULL;

	buf_add(&aad, place.p, place.n);
	if (c == FIELD_COLUMNS || str_chr(place, 0))
		why = "no such column";
	else if (id && !find_key(id))
		why = "its key is not loaded";
	else if (id &&
		 (id < FIELD_PLACED_KEY || !add_opened(b, find_key(id), buf_cstr(&aad), data)))
		why = "it was not written there";
	else if (!id && !field_old_accepted(c))
		why = field_key_of(v) ? "it is of an earlier version" : "it is not encrypted";
	else if (!id && !open_old(b, c, place, v))
		why = "it was not written there, by an earlier version";
	buf_free(&aad);
	if (why)
		tell_refused(place, why);
	return !why;
}

uint64_t field_refused(void)
{
	return refused;
}

/* --- the values of an earlier version --- */

bool field_old_accepted(enum field_column c)
{
	return by_hand || !field_placed() ||
	       (!old_values[c].closed && old_values[c].until_s > clock_now_us() / US_PER_S);
}

int64_t field_old_until(enum field_column c)
{
	return old_values[c].closed ? 0 : old_values[c].until_s;
}

void field_old_accept(enum field_column c, int64_t until_s)
{
	if (old_values[c].until_s && !until_s)
		old_values[c].closed = true;
	old_values[c].until_s = until_s;
}

void field_old_by_hand(void)
{
	by_hand = true;
}

static void mark_aad(enum field_column c, struct buf *b)
{
	buf_addf(b, "sealed_columns.open:1:%s", columns[c].name);
}

void field_mark(struct buf *b, enum field_column c, const unsigned char master[FIELD_KEY_BYTES],
	int64_t id, const unsigned char wrapped[FIELD_WRAPPED_BYTES], int64_t until_s)
{
	struct key k = { .id = id };
	struct buf aad = { 0 };
	char text[24];

	bug_on(id < FIELD_PLACED_KEY || !unwrap(master, id, wrapped, FIELD_WRAPPED_BYTES, k.bytes));
	snprintf(text, sizeof(text), "%lld", (long long)until_s);
	mark_aad(c, &aad);
	add_sealed(b, '2', &k, buf_cstr(&aad), str_of(text));
	buf_free(&aad);
	OPENSSL_cleanse(&k, sizeof(k));
}

void field_mark_renew(struct buf *b, enum field_column c, int64_t until_s, int64_t now_s)
{
	struct buf aad = { 0 };
	char text[24];

	bug_on(!field_placed());
	snprintf(text, sizeof(text), "%lld", (long long)until_s);
	mark_aad(c, &aad);
	add_sealed(b, '2', find_key(field_key_current(now_s)), buf_cstr(&aad), str_of(text));
	buf_free(&aad);
}

int64_t field_mark_read(enum field_column c, struct str v)
{
	struct buf aad = { 0 }, text = { 0 };
	struct str data;
	int64_t id = split(v, '2', &data), until = 0;

	mark_aad(c, &aad);
	if (id < FIELD_PLACED_KEY || !add_opened(&text, find_key(id), buf_cstr(&aad), data) ||
		!str_to_int((struct str){ text.p, text.n }, 1, INT64_MAX, &until))
		until = 0;
	buf_free(&aad);
	buf_free(&text);
	return until;
}

/* --- blind indexes --- */

void field_index(const char *column, int64_t tenant_id, struct str text, char out[FIELD_INDEX_MAX])
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

void field_mail_index(int64_t tenant_id, struct str mail, char out[FIELD_MAIL_INDEX_MAX])
{
	field_index("email", tenant_id, mail, out);
	field_index("email", 0, mail, out + FIELD_INDEX_MAX - 1);
}

/* Which columns have a blind index: the mail addresses of accounts. */
static const char *const indexed[] = { "client_users.email", "staff.email" };

/* Append the blind index of a value at PLACE, if its column has one. */
static void add_index(struct buf *b, struct str place, struct str text)
{
	enum field_column c = column_of(place);
	const char *tenant = str_chr(place, ':');
	int64_t tenant_id = tenant ? strtoll(tenant + 1, NULL, 10) : 0;
	char index[FIELD_MAIL_INDEX_MAX];

	for (size_t i = 0; i < ARRAY_LEN(indexed); i++)
		if (c < FIELD_COLUMNS && strcmp(columns[c].name, indexed[i]) == 0) {
			field_mail_index(tenant_id, text, index);
			buf_addf(b, ",\"index\":\"%s\"", index);
		}
}

bool field_reseal(
	struct buf *rows, struct str at, struct str place, struct str value, int64_t now_s)
{
	struct buf text = { 0 };

	if (!field_open_place(&text, place, value))
		return false;
	buf_addf(rows, "%s{\"at\":\"%.*s\",\"place\":", rows->n > 1 ? "," : "", (int)at.n, at.p);
	buf_add_json(rows, place.p, place.n);
	buf_adds(rows, ",\"old\":");
	buf_add_json(rows, value.p, value.n);
	buf_adds(rows, ",\"new\":\"");
	field_seal_place(rows, place, (struct str){ buf_cstr(&text), text.n }, now_s);
	buf_addc(rows, '"');
	add_index(rows, place, (struct str){ text.p, text.n });
	buf_addc(rows, '}');
	OPENSSL_cleanse(text.p, text.n);
	buf_free(&text);
	return true;
}
