/* SPDX-License-Identifier: Apache-2.0
 * Answers that many ask for and that cost something: kept in memory until an event outdates them,
 * computed once for all who wait, and served marked stale while the database is away. Behind the
 * memory stands Redis, for other instances and for those that have just started; an answer in use
 * is computed again before it is too old.
 *
 * The cache makes the key itself, from the reader's whole context and the query. A caller cannot
 * leave anything out, so nobody is given what was computed under another's rights. */
#ifndef SLADESK_CORE_CACHE_H
#define SLADESK_CORE_CACHE_H

#include "core/request.h"

#define CACHE_STEPS 4

/* As a parameter: the instant at which the query begins, in microseconds. It is not in the key. */
extern const char cache_now[];

/* What to ask, and how to write it down. */
struct cached_query {
	const char *name;  /* no other query has it */
	int64_t tenant_id; /* whose events outdate the answer */
	int64_t max_age_s;
	const struct sql_stmt *stmt[CACHE_STEPS];
	const char *param[CACHE_STEPS][SQL_PARAMS_MAX];
	/* Append what step STEP found: together the members of a JSON object, without its braces.
	 * False: there is no such thing (404). ARG is the query's. */
	bool (*add)(struct buf *b, int step, const PGresult *rows, const void *arg);
	/* Write the part of BODY that this request wants (WANTED is its own), so that many requests
	 * share one answer; NULL: all of it. */
	void (*pick)(struct buf *b, const char *body, size_t n, const void *arg, uint32_t wanted);
	/* A struct without pointers and padding: it is copied byte by byte, and its bytes are part
	 * of the key. */
	char arg[64];
	uint32_t wanted; /* of pick; not in the key */
};

/* Under whose rights, and in which language, an answer is computed. */
struct cache_reader {
	struct db_context ctx;
	uint32_t perms; /* as in a session */
	bool zh;
};

/* Answer REQ by QUERY, whose texts live in the request's arena. FRESH: not from memory. */
struct outcome *cache_reply(struct req *req, const struct cached_query *query, bool fresh) MUST_USE;
/* Have the answer ready: computed, or taken from Redis, unless it is here. The texts of QUERY and
 * READER need not outlive the call. */
void cache_prepare(const struct cached_query *query, const struct cache_reader *reader);
/* What is kept of TENANT_ID is out of date: its events up to SEQ are counted; 0: something else has
 * changed, of which other instances know nothing. */
void cache_outdate(int64_t tenant_id, int64_t seq);

/* ALL says whether every event that was delivered is in the figures. POSITION reads, by $1 = tenant
 * and from a server that may be the replica, up to which event they are. Until this is called,
 * answers are neither shared nor computed by the replica. */
void cache_counted_by(bool (*all)(void), const struct sql_stmt *position);

/* Start the cache. Call once, after events_init. */
void cache_init(void);
/* Release every entry; who still waits was answered before. */
void cache_free(void);

struct cache_health {
	size_t kept;
	uint64_t hits, misses, joined, stale, shared, renewed, replica, warmed;
};
/* Counts for /metrics. */
struct cache_health cache_health(void);

#endif
