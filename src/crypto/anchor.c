/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/anchor.h"
#include "crypto/crypto.h"
#include "crypto/secretfile.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX "sladesk-anchor-1 "
#define SIGNATURE 64
#define KEYS_MAX 64

static struct keys {
	EVP_PKEY *own;
	EVP_PKEY *key[KEYS_MAX]; /* the newest first, if they are from our file */
	char name[KEYS_MAX][17];
	size_t n;
	struct stat seen; /* the file that they are from */
} keys;

/* --- keys --- */

/* Take over K, also to check lines with. */
static bool add_key(EVP_PKEY *k)
{
	unsigned char raw[32];
	size_t n = sizeof(raw);
	char hex[65];

	if (!k || keys.n == KEYS_MAX || EVP_PKEY_get_base_id(k) != EVP_PKEY_ED25519 ||
		EVP_PKEY_get_raw_public_key(k, raw, &n) != 1) {
		EVP_PKEY_free(k);
		return false;
	}
	crypto_sha256_hex(raw, n, hex);
	snprintf(keys.name[keys.n], sizeof(keys.name[0]), "%.16s", hex);
	keys.key[keys.n++] = k;
	return true;
}

static bool make(const char *file)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
	EVP_PKEY *k = f ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519") : NULL;
	char *folder = xstrdup(file), *slash = strrchr(folder, '/');
	struct stat st;
	bool ok;

	if (slash)
		*slash = 0;
	/* the owner of the folder runs the daemon */
	ok = k && PEM_write_PrivateKey(f, k, NULL, NULL, 0, NULL, NULL) == 1 && fflush(f) == 0 &&
	     fsync(fd) == 0 &&
	     (geteuid() != 0 || stat(slash ? folder : ".", &st) != 0 ||
		     fchown(fd, st.st_uid, st.st_gid) == 0);
	EVP_PKEY_free(k);
	free(folder);
	if (f)
		fclose(f);
	return ok;
}

static void read_public(FILE *f)
{
	EVP_PKEY *k;

	while ((k = PEM_read_PUBKEY(f, NULL, NULL, NULL)) && add_key(k))
		;
	ERR_clear_error();
}

static const char *open_keys(const char *file)
{
	EVP_PKEY *k;
	FILE *f;

	if (access(file, F_OK) != 0 && errno == ENOENT && !make(file) && errno != EEXIST)
		return strerror(errno);
	f = secretfile_open(file);
	if (!f)
		return secretfile_error(errno);
	k = PEM_read_PrivateKey(f, NULL, NULL, NULL);
	if (!add_key(k)) {
		fclose(f);
		return "not an Ed25519 private key in PEM";
	}
	keys.own = k;
	read_public(f);
	if (fstat(fileno(f), &keys.seen) != 0)
		memset(&keys.seen, 0, sizeof(keys.seen));
	fclose(f);
	return NULL;
}

const char *anchor_key_open(const char *file)
{
	return open_keys(file);
}

const char *anchor_key_reload(const char *file)
{
	struct keys was = keys, fresh;
	const char *why;
	struct stat st;

	if (stat(file, &st) == 0 && st.st_ino == keys.seen.st_ino &&
		st.st_mtim.tv_sec == keys.seen.st_mtim.tv_sec &&
		st.st_mtim.tv_nsec == keys.seen.st_mtim.tv_nsec)
		return NULL;
	if (access(file, F_OK) != 0)
		return strerror(errno); /* a new key would not be known to be ours */
	keys = (struct keys){ 0 };
	why = open_keys(file);
	fresh = keys;
	keys = why ? fresh : was;
	anchor_keys_free();
	keys = why ? was : fresh;
	return why;
}

static bool write_rotated(const char *path, EVP_PKEY *k)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
	bool ok = f && fchown(fd, keys.seen.st_uid, keys.seen.st_gid) == 0 &&
		  PEM_write_PrivateKey(f, k, NULL, NULL, 0, NULL, NULL) == 1;

	for (size_t i = 0; i < keys.n && ok; i++)
		ok = PEM_write_PUBKEY(f, keys.key[i]) == 1;
	ok = ok && fflush(f) == 0 && fsync(fd) == 0;
	if (f)
		fclose(f);
	return ok;
}

const char *anchor_key_rotate(const char *file)
{
	char *path = xasprintf("%s.new", file);
	EVP_PKEY *k = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	const char *why = NULL;

	if (keys.n == KEYS_MAX)
		why = "it holds 64 keys";
	else if (!k)
		why = "no key could be made";
	else if (!write_rotated(path, k) || rename(path, file) != 0)
		why = strerror(errno);
	if (why)
		unlink(path);
	EVP_PKEY_free(k);
	free(path);
	return why ? why : anchor_key_reload(file);
}

const char *anchor_keys_read(const char *file)
{
	FILE *f = fopen(file, "re");
	size_t n = keys.n;

	if (!f)
		return strerror(errno);
	read_public(f);
	fclose(f);
	return keys.n > n ? NULL : "not an Ed25519 public key in PEM";
}

void anchor_key_public(struct buf *b)
{
	BIO *out = BIO_new(BIO_s_mem());
	char *p;
	long n;

	bug_on(!keys.own || !out);
	for (size_t i = 0; i < keys.n; i++) /* ours is the first one */
		bug_on(PEM_write_bio_PUBKEY(out, keys.key[i]) != 1);
	n = BIO_get_mem_data(out, &p);
	buf_add(b, p, (size_t)n);
	BIO_free(out);
}

const char *anchor_key_name(void)
{
	for (size_t i = 0; i < keys.n; i++)
		if (keys.key[i] == keys.own)
			return keys.name[i];
	return "";
}

void anchor_keys_free(void)
{
	for (size_t i = 0; i < keys.n; i++)
		EVP_PKEY_free(keys.key[i]);
	keys = (struct keys){ 0 };
}

/* --- lines --- */

void anchor_line_add(struct buf *b, const struct anchor *a)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char signature[SIGNATURE];
	size_t n = sizeof(signature), from = b->n;

	buf_addf(b, PREFIX "%lld %lld %lld %s %s %s %s", (long long)a->line_no,
		(long long)a->tenant_id, (long long)a->chain_no, a->digest, a->at, a->before,
		anchor_key_name());
	bug_on(!ctx || !keys.own || EVP_DigestSignInit(ctx, NULL, NULL, NULL, keys.own) != 1 ||
		EVP_DigestSign(
			ctx, signature, &n, (const unsigned char *)b->p + from, b->n - from) != 1);
	EVP_MD_CTX_free(ctx);
	buf_addc(b, ' ');
	buf_add_base64url(b, signature, n);
}

static bool is_signed(const struct anchor *a, struct str text, struct str signature)
{
	unsigned char raw[SIGNATURE + 8];
	EVP_MD_CTX *ctx;
	bool ok = false;

	/* one text for each signature: 86 characters, of which the last one carries 4 bits */
	if (signature.n != 86 || !strchr("AQgw", signature.p[85]) ||
		base64url_decode(signature, raw) != SIGNATURE)
		return false;
	for (size_t i = 0; i < keys.n && !ok; i++) {
		if (strcmp(keys.name[i], a->key) != 0)
			continue;
		ctx = EVP_MD_CTX_new();
		ok = ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, keys.key[i]) == 1 &&
		     EVP_DigestVerify(ctx, raw, SIGNATURE, (const unsigned char *)text.p, text.n) ==
			     1;
		EVP_MD_CTX_free(ctx);
	}
	return ok;
}

static bool is_known(const char *key)
{
	for (size_t i = 0; i < keys.n; i++)
		if (strcmp(keys.name[i], key) == 0)
			return true;
	return false;
}

const char *anchor_line_read(struct str line, struct anchor *out, struct str *out_line)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	char *copy = xstrndup(line.p, line.n), *at = strstr(copy, PREFIX);
	long long no, tenant, chain;
	int used = 0, end;
	bool ok;

	ok = at &&
	     sscanf(at,
		     PREFIX "%lld %lld %lld %64[0-9a-f] %39[0-9TZ:.-] %64[0-9a-f] %16[0-9a-f] %n",
		     &no, &tenant, &chain, out->digest, out->at, out->before, out->key,
		     &used) == 7 &&
	     used;
	if (ok) {
		size_t start = (size_t)(at - copy), n = strspn(at + used, letters);

		end = used + (int)n;
		*out_line = (struct str){ line.p + start, (size_t)end };
		out->line_no = no;
		out->tenant_id = tenant;
		out->chain_no = chain;
		ok = strlen(out->digest) == 64 && strlen(out->before) == 64;
	}
	free(copy);
	if (!ok)
		return "not an anchor";
	if (!is_known(out->key))
		return "signed with another key";
	if (!is_signed(out, (struct str){ out_line->p, (size_t)used - 1 },
		    (struct str){ out_line->p + used, out_line->n - (size_t)used }))
		return "the signature does not fit: the line was changed or forged";
	return NULL;
}

void anchor_line_digest(struct str line, char out[65])
{
	crypto_sha256_hex(line.p, line.n, out);
}
