/* SPDX-License-Identifier: Apache-2.0
 * Rate limits per address, user and tenant, as token buckets. They are kept in memory, so that a
 * request never waits for them. Ten times a second, one call tells Redis what was taken and returns
 * what is left over all instances. Without Redis, each instance counts alone. */
#ifndef SLADESK_CORE_LIMIT_H
#define SLADESK_CORE_LIMIT_H

#include "base/base.h"

enum limit {
	LIMIT_ADDRESS, /* requests without a session */
	LIMIT_LOGIN,   /* logins and the like, by address: each costs a password hash */
	LIMIT_USER,
	LIMIT_TENANT,
	LIMIT_REFRESH, /* forced computations (refresh=true), by user */
	LIMIT_COUNT
};

struct limit_rate {
	int64_t per_s, burst; /* per_s 0: no limit */
};

/* Start reporting to Redis what was taken. Call once. */
void limit_init(void);
/* Release all buckets. */
void limit_free(void);
/* Apply RATES from now on. Can be called at any time. */
void limit_set(const struct limit_rate rates[LIMIT_COUNT]);
/* Take one token from KEY's bucket. Returns 0, or the seconds (at least 1) until a token is
 * available. */
int64_t limit_take(enum limit kind, struct str key);
/* The limit's name in metrics and settings. */
const char *limit_name(enum limit kind);
/* The present rate. */
struct limit_rate limit_rate(enum limit kind);
/* The number of requests that the limit has refused since the start. */
uint64_t limit_refused(enum limit kind);
/* The number of buckets examined since the start to make room for others, for tests. */
uint64_t limit_steps(void);

#endif
