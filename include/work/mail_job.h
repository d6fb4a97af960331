/* SPDX-License-Identifier: Apache-2.0
 * A mail as the daemon gives it to a mail helper, and the result. */
#ifndef SLADESK_WORK_MAIL_JOB_H
#define SLADESK_WORK_MAIL_JOB_H

#include "base/base.h"

struct mail_job {
	const char *url;           /* smtp://host:port or smtps:// */
	const char *username;      /* "": no authentication */
	const char *password_file; /* the first line of this file; "": an empty password */
	const char *ca_file;       /* PEM file of additional CAs to trust; "": only the system's */
	const char *from, *to;     /* envelope */
	struct str message;        /* the complete RFC 5322 message, with CRLF line ends */
	int timeout_ms;            /* time limit for the whole mail */
	bool require_tls;
};
/* Append the job in the form of a frame's bytes. */
void mail_job_write(struct buf *b, const struct mail_job *m);
/* Read a job. OUT points into the N bytes at P, which a NUL follows. Returns false if they are not
 * a job. */
bool mail_job_read(const char *p, size_t n, struct mail_job *out) MUST_USE;

/* A 5xx reply is permanent (RFC 5321, section 4.2.1). The command decides what it refuses: after
 * RCPT and DATA, this mail; after the greeting, AUTH and MAIL FROM, us, and an operator must
 * correct our settings. */
enum mail_verdict {
	MAIL_FAILED,     /* a retry may help */
	MAIL_TAKEN,      /* the relay has accepted it */
	MAIL_REFUSED,    /* the recipient or the text is refused: a retry does not help */
	MAIL_REFUSED_US, /* we are refused: no mail can be sent until an operator corrects the
			    settings */
};

struct mail_result {
	enum mail_verdict verdict;
	int status; /* status of the relay's deciding reply; 0: none */
	char error[300];
};

#endif
