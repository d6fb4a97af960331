/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/crypto.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdlib.h>

void crypto_random(void *out, size_t n)
{
	bug_on(RAND_bytes(out, (int)n) != 1);
}

/* Look up the algorithm once and reuse its context: the look-up costs more than the digest of a
 * token or of a cache key. */
void crypto_sha256(const void *p, size_t n, unsigned char out[32])
{
	static struct {
		EVP_MD *algorithm;
		EVP_MD_CTX *context;
	} sha256;

	if (!sha256.context) {
		sha256.algorithm = EVP_MD_fetch(NULL, "SHA256", NULL);
		sha256.context = EVP_MD_CTX_new();
	}
	bug_on(!sha256.algorithm || !sha256.context);
	bug_on(!EVP_DigestInit_ex2(sha256.context, sha256.algorithm, NULL) ||
		!EVP_DigestUpdate(sha256.context, p, n) ||
		!EVP_DigestFinal_ex(sha256.context, out, NULL));
}

static void to_hex(const unsigned char *p, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[p[i] >> 4];
		out[2 * i + 1] = digits[p[i] & 15];
	}
	out[2 * n] = 0;
}

void crypto_sha256_hex(const void *p, size_t n, char out[65])
{
	unsigned char d[32];

	crypto_sha256(p, n, d);
	to_hex(d, 32, out);
}

void crypto_hmac_sha256(
	const void *key, size_t key_n, const void *p, size_t n, unsigned char out[32])
{
	unsigned len = 32;

	bug_on(!HMAC(EVP_sha256(), key, (int)key_n, p, n, out, &len));
}

bool crypto_equal(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}

void crypto_random_hex(char *out, size_t n)
{
	unsigned char bytes[64];

	bug_on(n > sizeof(bytes));
	crypto_random(bytes, n);
	to_hex(bytes, n, out);
}

void buf_add_base64(struct buf *b, const void *p, size_t n)
{
	buf_reserve(b, n * 4 / 3 + 8);
	b->n += (size_t)EVP_EncodeBlock((unsigned char *)b->p + b->n, p, (int)n);
}

void buf_add_base64url(struct buf *b, const void *p, size_t n)
{
	size_t from = b->n;

	buf_add_base64(b, p, n);
	for (size_t i = from; i < b->n; i++)
		b->p[i] = (char)(b->p[i] == '+' ? '-' : b->p[i] == '/' ? '_' : b->p[i]);
	while (b->n > from && b->p[b->n - 1] == '=')
		b->n--;
}

static int digit_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '-' ? 62 : c == '_' ? 63 : -1;
}

size_t base64url_decode(struct str s, unsigned char *out)
{
	uint32_t bits = 0;
	int have = 0;
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		int d = digit_of(s.p[i]);

		if (d < 0)
			return 0;
		bits = bits << 6 | (uint32_t)d;
		have += 6;
		if (have >= 8) {
			have -= 8;
			out[n++] = (unsigned char)(bits >> have);
		}
	}
	return n;
}
