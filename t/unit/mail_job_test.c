/* SPDX-License-Identifier: Apache-2.0
 * A mail goes into a frame and comes out the same; a truncated frame is refused. */
#include "unit.h"
#include "work/mail_job.h"

static const struct mail_job job = { .url = "smtp://relay.example:587",
	.username = "desk",
	.password_file = "/etc/sladesk/smtp",
	.ca_file = "",
	.from = "desk@provider.example",
	.to = "user@customer.example",
	.message = { "Subject: x\r\n\r\nbody with a NUL \0 in it", 37 },
	.timeout_ms = 45000,
	.require_tls = true };

static void the_same_comes_out(void)
{
	struct mail_job out;
	struct buf b = { 0 };

	mail_job_write(&b, &job);
	CU_ASSERT_FATAL(mail_job_read(buf_cstr(&b), b.n, &out));
	CU_ASSERT_STRING_EQUAL(out.url, job.url);
	CU_ASSERT_STRING_EQUAL(out.username, "desk");
	CU_ASSERT_STRING_EQUAL(out.password_file, job.password_file);
	CU_ASSERT_STRING_EQUAL(out.ca_file, "");
	CU_ASSERT_STRING_EQUAL(out.from, job.from);
	CU_ASSERT_STRING_EQUAL(out.to, job.to);
	CU_ASSERT(str_eq(out.message, job.message));
	CU_ASSERT_EQUAL(out.timeout_ms, 45000);
	CU_ASSERT_TRUE(out.require_tls);
	buf_free(&b);
}

static void what_is_cut_short_is_refused(void)
{
	struct mail_job out;
	struct buf b = { 0 };
	size_t head;

	mail_job_write(&b, &job);
	head = b.n - job.message.n;
	for (size_t n = 0; n < head; n++) {
		char *part = xstrndup(b.p, n); /* a block of exactly this size, for the sanitizer */

		CU_ASSERT_FALSE(mail_job_read(part, n, &out));
		free(part);
	}
	CU_ASSERT_TRUE(mail_job_read(b.p, head, &out)); /* an empty message */
	CU_ASSERT_EQUAL(out.message.n, 0);
	buf_free(&b);
}

UNIT_MAIN("mail_job", { "a job read back is the same", the_same_comes_out },
	{ "a truncated job is refused", what_is_cut_short_is_refused })
