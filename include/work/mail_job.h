/* SPDX-License-Identifier: Apache-2.0
 * A mail as the daemon gives it to a mail helper, and what came of it. */
#ifndef SLADESK_WORK_MAIL_JOB_H
#define SLADESK_WORK_MAIL_JOB_H

#include "base/base.h"

struct mail_job {
	const char *url;           /* smtp://host:port or smtps:// */
	const char *username;      /* "": no AUTH */
	const char *password_file; /* its first line; "": an empty password */
	const char *ca_file;       /* PEM of further CAs to trust; "": the system's alone */
	const char *from, *to;     /* envelope */
	struct str message;        /* whole RFC 5322 text, CRLF lines */
	int timeout_ms;            /* for the whole mail */
	bool require_tls;
};
/* Append the job as a frame's bytes. */
void mail_job_write(struct buf *b, const struct mail_job *m);
/* Read it; OUT points into the N bytes at P, behind which a NUL stands. False: it is none. */
bool mail_job_read(const char *p, size_t n, struct mail_job *out) MUST_USE;

struct mail_result {
	bool ok;        /* the relay has taken it */
	bool permanent; /* trying again will not help */
	int status;     /* the relay's last reply; 0: none */
	char error[300];
};

#endif
