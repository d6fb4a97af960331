/* SPDX-License-Identifier: Apache-2.0
 * How often an address, a user, a tenant may ask: token buckets. They are kept here, so that a
 * request never waits for them; ten times a second what was taken is told to Redis in one call, and
 * what is left over all instances comes back. Without Redis each instance counts by itself. */
#ifndef SLADESK_CORE_LIMIT_H
#define SLADESK_CORE_LIMIT_H

#include "base/base.h"

enum limit {
	LIMIT_ADDRESS, /* requests without a session */
	LIMIT_LOGIN,   /* log-ins and the like, by address: each costs a hash */
	LIMIT_USER,
	LIMIT_TENANT,
	LIMIT_REFRESH, /* answers computed anew by wish, by user */
	LIMIT_COUNT
};

struct limit_rate {
	int64_t per_s, burst; /* per_s 0: no limit */
};

/* Start telling Redis what was taken. Call once. */
void limit_init(void);
/* Release all buckets. */
void limit_free(void);
/* Also while running. */
void limit_set(const struct limit_rate rates[LIMIT_COUNT]);
/* Take one token of KEY's bucket: 0, or the seconds (1 at least) after which there is one again. */
int64_t limit_take(enum limit kind, struct str key);
/* The limit's name in metrics and settings. */
const char *limit_name(enum limit kind);
/* The rate in force. */
struct limit_rate limit_rate(enum limit kind);
/* How many requests the limit has refused since the start. */
uint64_t limit_refused(enum limit kind);

#endif
