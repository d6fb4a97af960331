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

static void verify(const char *bytes, size_t n)
{
	size_t hashed = strnlen(bytes, n);
	bool ok = hashed < n &&
		  argon2id_verify(bytes, bytes + hashed + 1, n - hashed - 1) == ARGON2_OK;

	helper_answer(ok ? "1" : "0", 1);
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
