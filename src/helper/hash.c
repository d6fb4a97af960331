/* SPDX-License-Identifier: Apache-2.0
 * sladesk-helper-hash: passwords, by argon2id. */
#include "helper.h"

#include <argon2.h>
#include <openssl/rand.h>

/* the minimum that OWASP recommends for argon2id; takes about 60 ms */
#define ARGON_T 2
#define ARGON_M_KIB (19 * 1024)

static void hash(const char *password, size_t n)
{
	unsigned char salt[16];
	char out[128];

	if (RAND_bytes(salt, sizeof(salt)) != 1 ||
		argon2id_hash_encoded(ARGON_T, ARGON_M_KIB, 1, password, n, salt, sizeof(salt), 32,
			out, sizeof(out)) != ARGON2_OK)
		helper_fail();
	else
		helper_answer(out, strlen(out));
}

/* "1" or "2": the first or the second password is the right one. */
static void verify(const char *bytes, size_t n)
{
	const char *hash = bytes, *end = bytes + n, *at = memchr(bytes, 0, n);

	for (int i = 1; at && i <= 2; i++) {
		size_t length = strnlen(at + 1, (size_t)(end - at - 1));

		if (argon2id_verify(hash, at + 1, length) == ARGON2_OK) {
			helper_answer(i == 1 ? "1" : "2", 1);
			return;
		}
		at = at + 1 + length < end ? at + 1 + length : NULL;
	}
	helper_answer("0", 1);
}

static void on_job(enum work_kind kind, const char *p, size_t n)
{
	if (kind == WORK_HASH)
		hash(p, n);
	else if (kind == WORK_VERIFY)
		verify(p, n);
	else
		helper_fail();
}

int main(void)
{
	unsigned char seed[1];

	if (RAND_bytes(seed, 1) != 1) /* lets OpenSSL read its seed and its configuration */
		return 1;
	return helper_main(&(struct helper_rules){ .pool = POOL_HASH,
		.fn = on_job,
		.memory_max = 256u << 20,
		.nice = 10 }); /* many logins at once must not slow down the loop */
}
