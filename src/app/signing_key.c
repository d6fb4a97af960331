/* SPDX-License-Identifier: Apache-2.0 */
#include "signing_key.h"
#include "config/keyfile.h"
#include "config/options.h"
#include "work/work.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>

#define FILE_MS 30000

static void on_replaced(void *arg, enum work_end how, struct str answer)
{
	char why[200] = "no help";

	(void)arg;
	if (answer.n > 1)
		snprintf(why, sizeof(why), "%.*s", (int)answer.n - 1, answer.p + 1);
	keyfile_renewed(how == WORK_DONE && answer.n && answer.p[0] == '+' ? NULL : why);
}

void signing_key_tick(void)
{
	struct buf b = { 0 };
	char *fresh;

	keyfile_tick();
	fresh = keyfile_renew();
	if (!fresh)
		return;
	buf_add(&b, options.token_key_file, strlen(options.token_key_file) + 1);
	buf_adds(&b, fresh);
	if (!work_submit(&(struct work_job){ .kind = WORK_REPLACE,
		    .p = b.p,
		    .n = b.n,
		    .timeout_ms = FILE_MS,
		    .on_done = on_replaced }))
		on_replaced(NULL, WORK_LATE, (struct str){ "", 0 });
	OPENSSL_cleanse(fresh, strlen(fresh));
	OPENSSL_cleanse(b.p, b.n);
	free(fresh);
	buf_free(&b);
}
