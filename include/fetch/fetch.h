/* SPDX-License-Identifier: Apache-2.0
 * Outgoing HTTP on the loop through curl's multi interface. Mail is not sent here: libcurl blocks
 * in SMTP, so a helper process sends it. Host names are resolved by evdns first, because curl's
 * resolver threads block the loop when DNS is blackholed. Every transfer has a time limit; at most
 * eight transfers to a host run at once. */
#ifndef SLADESK_FETCH_FETCH_H
#define SLADESK_FETCH_FETCH_H

#include "base/base.h"

struct fetch_result {
	bool ok;           /* the status is 2xx */
	long status;       /* 0: no response */
	char error[300];   /* the reason of a failure */
	bool permanent;    /* a retry will not help (a refused address) */
	int retry_after_s; /* the response's Retry-After; 0: none */
	int took_ms;
	const char *body; /* if answer_max was given: the response body, NUL-terminated; valid until
			     the callback returns */
	size_t body_n;
};
typedef void fetch_done(void *arg, const struct fetch_result *r);

/* Start the module. Call it once, after loop_init. */
void fetch_init(void);
/* End all transfers as failed, on a later turn. Later requests fail too. */
void fetch_stop(void);
/* The same at once, including the callbacks; then free everything. */
void fetch_free(void);
/* The number of transfers in progress or waiting. */
int fetch_running(void);

struct fetch_http {
	const char *url, *body; /* body is copied */
	size_t body_n;
	const char *const *headers; /* NULL-terminated lines */
	bool allow_private;         /* may reach private and loopback addresses */
	int timeout_ms;
	bool get;          /* GET, without a body */
	size_t answer_max; /* keep the response body; a longer one is an error */
	const char
		*ca_file; /* PEM file of additional CAs to trust; NULL or "": only the system's */
};
/* Start a POST or GET. ON_DONE runs exactly once, on a later turn. */
void fetch_http(const struct fetch_http *f, fetch_done *on_done, void *arg);

#endif
