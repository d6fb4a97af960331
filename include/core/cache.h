/* SPDX-License-Identifier: Apache-2.0
 * Answers that many ask for and that cost something: kept in memory until an event outdates them,
 * computed once for all who wait, and given as they were, marked stale, while the database is away.
 * Behind the memory stands Redis, for other instances and for those that have just started; one
 * that is asked for is computed anew before it is too old. */
#ifndef SLADESK_CORE_CACHE_H
#define SLADESK_CORE_CACHE_H

#include "core/request.h"

#define ANSWER_STEPS 4

/* What to ask and how to write it down. KEY must hold all that the answer depends on. */
struct answer_plan {
	const char *key;
	int64_t tenant_id;
	int64_t max_age_s;
	const struct sql_stmt *stmt[ANSWER_STEPS];
	const char *param[ANSWER_STEPS][SQL_PARAMS_MAX];
	/* Append what step STEP found: together the members of a JSON object, without its braces.
	 * False: there is no such thing (404). ARG is the plan's, copied byte by byte. */
	bool (*add)(struct buf *b, int step, const PGresult *rows, const void *arg);
	/* Write what this request wants of the body, which may hold more than that, so that many
	 * share it; NULL: all of it. ARG is the request's own plan's. */
	void (*pick)(struct buf *b, const char *body, size_t n, const void *arg);
	char arg[64];
};

/* Answer REQ by PLAN, whose texts live in the request's arena. FRESH: not from memory. */
struct outcome *answers_give(struct req *req, const struct answer_plan *plan, bool fresh) MUST_USE;

/* Have it ready: computed, or taken from Redis, unless it is here. PLAN's texts need not outlive
 * the call. */
void answers_warm(const struct answer_plan *plan, const struct db_context *ctx);

struct answers_health {
	size_t kept;
	uint64_t hits, misses, joined, stale, shared, renewed, replica, warmed;
};
void answers_init(void);
void answers_free(void);
/* What is kept of TENANT_ID is no longer how it is: its events up to SEQ are counted; 0: something
 * else has changed, of which other instances know nothing. */
void answers_outdate(int64_t tenant_id, int64_t seq);
struct answers_health answers_health(void);
/* FN says whether every event that was delivered is in the figures; without it none is taken to be.
 */
void answers_counted_by(bool (*fn)(void));

#endif
