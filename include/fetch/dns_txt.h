/* SPDX-License-Identifier: Apache-2.0
 * Looking up TXT records on the loop, by c-ares: evdns cannot ask for them. */
#ifndef SLADESK_FETCH_DNS_TXT_H
#define SLADESK_FETCH_DNS_TXT_H

#include "base/base.h"

struct dns_txt {
	bool answered;     /* a name server has answered: FOUND says with what */
	const char *error; /* why not; NULL if it has */
	char **found;      /* the texts, each joined from its pieces; N of them, 0: none */
	size_t n;
};
typedef void dns_txt_done(void *arg, const struct dns_txt *r);

/* Start the module. SERVERS: address[:port], separated by commas; "": those of /etc/resolv.conf.
 * Returns false if they cannot be read. Call it once, after loop_init. */
bool dns_txt_init(const char *servers) MUST_USE;
/* Ask for the TXT records of NAME. ON_DONE runs exactly once, on a later turn, after at most ten
 * seconds. */
void dns_txt_ask(const char *name, dns_txt_done *on_done, void *arg);
/* End all questions as failed, including the callbacks, and free everything. */
void dns_txt_free(void);

#endif
