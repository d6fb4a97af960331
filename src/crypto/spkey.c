/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/spkey.h"
#include "crypto/crypto.h"
#include "crypto/secretfile.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_BITS_MIN 2048
#define KEY_BITS_MAX 8192
#define YEARS_S (10L * 365 * 86400)

static struct {
	EVP_PKEY *key;
	X509 *cert;
	char *key_text; /* the key alone, in PEM */
} spkey;

static X509 *new_certificate(EVP_PKEY *k, const char *name)
{
	X509 *x = X509_new();
	X509_NAME *n = X509_get_subject_name(x);

	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_set_version(x, 2);
	X509_gmtime_adj(X509_getm_notBefore(x), -3600);
	X509_gmtime_adj(X509_getm_notAfter(x), YEARS_S);
	X509_set_pubkey(x, k);
	X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(x, n);
	bug_on(X509_sign(x, k, EVP_sha256()) <= 0);
	return x;
}

static bool make(const char *file, const char *name)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
	EVP_PKEY *k = f ? EVP_RSA_gen(2048) : NULL;
	X509 *x = k ? new_certificate(k, name) : NULL;
	char *folder = xstrdup(file), *slash = strrchr(folder, '/');
	struct stat st;
	bool ok;

	if (slash)
		*slash = 0;
	ok = x && PEM_write_PrivateKey(f, k, NULL, NULL, 0, NULL, NULL) == 1 &&
	     PEM_write_X509(f, x) == 1 && fflush(f) == 0 && fsync(fd) == 0 &&
	     (geteuid() != 0 || stat(slash ? folder : ".", &st) != 0 ||
		     fchown(fd, st.st_uid, st.st_gid) == 0);
	X509_free(x);
	EVP_PKEY_free(k);
	free(folder);
	if (f)
		fclose(f);
	return ok;
}

static void free_pem(void)
{
	if (spkey.key_text)
		OPENSSL_cleanse(spkey.key_text, strlen(spkey.key_text));
	free(spkey.key_text);
	spkey.key_text = NULL;
}

static bool write_pem(void)
{
	BIO *b = BIO_new(BIO_s_secmem());
	char *p;
	long n;
	bool ok = b && PEM_write_bio_PrivateKey(b, spkey.key, NULL, NULL, 0, NULL, NULL) == 1 &&
		  (n = BIO_get_mem_data(b, &p)) > 0;

	free_pem();
	if (ok)
		spkey.key_text = xstrndup(p, (size_t)n);
	BIO_free(b);
	return ok;
}

bool spkey_open(const char *file, const char *name)
{
	FILE *f;

	if (access(file, F_OK) != 0 && errno == ENOENT && !make(file, name) && errno != EEXIST)
		return false;
	f = secretfile_open(file);
	if (!f)
		return false;
	spkey.key = PEM_read_PrivateKey(f, NULL, NULL, NULL);
	rewind(f);
	spkey.cert = PEM_read_X509(f, NULL, NULL, NULL);
	fclose(f);
	return spkey.key && spkey.cert && EVP_PKEY_get_base_id(spkey.key) == EVP_PKEY_RSA &&
	       EVP_PKEY_get_bits(spkey.key) >= KEY_BITS_MIN &&
	       EVP_PKEY_get_bits(spkey.key) <= KEY_BITS_MAX && write_pem();
}

void spkey_sign(struct buf *b, const void *p, size_t n)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char out[KEY_BITS_MAX / 8];
	size_t len = sizeof(out);

	bug_on(!ctx || !spkey.key ||
		EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, spkey.key) != 1 ||
		EVP_DigestSign(ctx, out, &len, p, n) != 1);
	EVP_MD_CTX_free(ctx);
	buf_add_base64(b, out, len);
}

void spkey_certificate(struct buf *b)
{
	unsigned char *der = NULL;
	int n = i2d_X509(spkey.cert, &der);

	bug_on(n <= 0);
	buf_add_base64(b, der, (size_t)n);
	OPENSSL_free(der);
}

char *certificate_to_pem(const char *text)
{
	struct buf pem = { 0 };
	BIO *in;
	X509 *x;
	char *out = NULL;

	if (strstr(text, "-----BEGIN")) {
		buf_adds(&pem, text);
	} else {
		size_t column = 0;

		buf_adds(&pem, "-----BEGIN CERTIFICATE-----\n");
		for (; *text; text++) {
			if (strchr(" \r\n\t", *text))
				continue;
			buf_addc(&pem, *text);
			if (++column % 64 == 0)
				buf_addc(&pem, '\n');
		}
		buf_adds(&pem, "\n-----END CERTIFICATE-----\n");
	}
	in = BIO_new_mem_buf(pem.p, (int)pem.n);
	x = in ? PEM_read_bio_X509(in, NULL, NULL, NULL) : NULL;
	BIO_free(in);
	if (x) {
		BIO *b = BIO_new(BIO_s_mem());
		char *p;
		long n;

		if (b && PEM_write_bio_X509(b, x) == 1 && (n = BIO_get_mem_data(b, &p)) > 0)
			out = xstrndup(p, (size_t)n);
		BIO_free(b);
	}
	X509_free(x);
	buf_free(&pem);
	return out;
}

const char *spkey_pem(void)
{
	return spkey.key_text;
}

void spkey_free(void)
{
	free_pem();
	EVP_PKEY_free(spkey.key);
	X509_free(spkey.cert);
	spkey.key = NULL;
	spkey.cert = NULL;
}
