/* SPDX-License-Identifier: Apache-2.0
 * The encoding: a head of two numbers, six NUL-terminated texts, and the message. */
#include "work/mail_job.h"

struct head {
	int32_t timeout_ms;
	int32_t require_tls;
};

void mail_job_write(struct buf *b, const struct mail_job *m)
{
	const char *texts[] = { m->url, m->username, m->password_file, m->ca_file, m->from, m->to };
	struct head h = { m->timeout_ms, m->require_tls };

	buf_add(b, &h, sizeof(h));
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		buf_add(b, texts[i], strlen(texts[i]) + 1);
	buf_add(b, m->message.p, m->message.n);
}

bool mail_job_read(const char *p, size_t n, struct mail_job *out)
{
	const char **texts[] = { &out->url, &out->username, &out->password_file, &out->ca_file,
		&out->from, &out->to };
	size_t at = sizeof(struct head);
	struct head h;

	if (n < at)
		return false;
	memcpy(&h, p, at);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const char *end = memchr(p + at, 0, n - at);

		if (!end)
			return false;
		*texts[i] = p + at;
		at = (size_t)(end - p) + 1;
	}
	out->message = (struct str){ p + at, n - at };
	out->timeout_ms = h.timeout_ms;
	out->require_tls = h.require_tls != 0;
	return true;
}
