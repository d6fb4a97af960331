/* SPDX-License-Identifier: Apache-2.0
 * sladesk-helper-parse: documents from outside parties. So far, SAML. */
#include "helper.h"
#include "saml.h"

#include <openssl/rand.h>

static void on_job(enum work_kind kind, const char *p, size_t n)
{
	struct buf out = { 0 };

	if (kind != WORK_SAML) {
		helper_fail();
		return;
	}
	saml_verify(p, n, &out);
	helper_answer(out.p, out.n);
	buf_free(&out);
}

int main(void)
{
	unsigned char seed[1];

	if (RAND_bytes(seed, 1) != 1) /* lets OpenSSL read its seed and its configuration */
		return 1;
	saml_init();
	return helper_main(&(struct helper_rules){
		.pool = POOL_PARSE, .fn = on_job, .memory_max = 256u << 20, .nice = 10 });
}
