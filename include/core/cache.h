/* SPDX-License-Identifier: Apache-2.0
 * Results that many requests ask for and that are expensive to compute. A result is kept in memory
 * until an event makes it outdated, computed once for all requests that wait for it, and served
 * marked as stale while the database is down. Redis behind it serves other instances and those that
 * have just started. A result in use is recomputed before it expires. The cache builds the key
 * itself from the reader's whole context and the query. The caller cannot leave anything out, so
 * nobody gets a result that was computed under another user's rights. */
#ifndef SLADESK_CORE_CACHE_H
#define SLADESK_CORE_CACHE_H

#include "core/request.h"

#define CACHE_STEPS 4

/* Stands for the instant at which the query begins, in microseconds. It is not part of the key. */
extern const char cache_now[];

/* What to compute, and how to write it. */
struct cached_query {
	const char *name;  /* unique to this query */
	int64_t tenant_id; /* the tenant whose events outdate the result */
	int64_t max_age_s;
	const struct sql_stmt *stmt[CACHE_STEPS];
	const char *param[CACHE_STEPS][SQL_PARAMS_MAX];
	/* Append the result of step STEP. Together the steps write the members of a JSON object,
	 * without its braces. Returns false if the object does not exist (404). ARG is the
	 * query's. */
	bool (*add)(struct buf *b, int step, const PGresult *rows, const void *arg);
	/* Write the part of BODY that this request wants (WANTED is its own), so that many requests
	 * share one result. NULL: write all of it. */
	void (*pick)(struct buf *b, const char *body, size_t n, const void *arg, uint32_t wanted);
	/* A struct without pointers and padding: it is copied byte by byte, and its bytes are part
	 * of the key. */
	char arg[64];
	uint32_t wanted; /* the argument of pick; not part of the key */
};

/* The rights and the language for which a result is computed. */
struct cache_reader {
	struct db_context ctx;
	uint32_t perms; /* as in a session */
	bool zh;
};

/* Answer REQ with the result of QUERY, whose texts are in the request's arena. FRESH: do not use
 * memory. */
struct outcome *cache_reply(struct req *req, const struct cached_query *query, bool fresh) MUST_USE;
/* Make sure that the result is in memory: take it from Redis or compute it. The texts of QUERY and
 * READER only need to live during the call. */
void cache_prepare(const struct cached_query *query, const struct cache_reader *reader);
/* Mark the results of TENANT_ID as outdated, because its events up to SEQ are counted now. SEQ 0:
 * because something has changed that other instances do not know of. */
void cache_outdate(int64_t tenant_id, int64_t seq);

/* Register how the cache learns which events are counted. ALL returns whether every delivered event
 * is. POSITION reads, for $1 = tenant and possibly on the replica, the seq up to which events are
 * counted. Until this is called, results are neither shared nor computed on the replica. */
void cache_counted_by(bool (*all)(void), const struct sql_stmt *position);

/* Start the cache. Call once, after events_init. */
void cache_init(void);
/* Free every entry. Requests that were waiting have been answered before. */
void cache_free(void);

struct cache_health {
	size_t kept;
	uint64_t hits, misses, joined, stale, shared, renewed, replica, warmed;
};
/* Counts for /metrics. */
struct cache_health cache_health(void);

#endif
