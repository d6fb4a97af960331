/* SPDX-License-Identifier: Apache-2.0
 * What the two halves of the cache share: cache.c keeps and computes, cache_redis.c shares with
 * other instances. */
#ifndef SLADESK_CORE_CACHE_INNER_H
#define SLADESK_CORE_CACHE_INNER_H

#include "core/cache.h"

struct cache_key {
	unsigned char digest[32]; /* of the whole context and the query */
};

/* An answer on its way, and who waits for it. */
struct cache_flight {
	struct list node, waiters;
	struct db_call call;
	struct cached_query query;
	struct cache_key key;
	char *texts; /* of the query and the context */
	struct buf body;
	int step;
	uint64_t generation;
	int64_t seq;     /* of the tenant, counted before it was asked; 0: not shared */
	int64_t counted; /* the same, whether shared or not; 0: not for the replica */
	char tenant[24], now[24];
	int64_t at_us; /* when it was computed elsewhere; 0: here and now */
	bool computes; /* not: asks Redis first */
	bool replica;  /* it is computed there */
};

/* Ask Redis for F's answer. It goes on with cache_flight_compute or, when there is one,
 * cache_flight_end. */
void cache_redis_get(struct cache_flight *f);
/* Give F's answer to Redis. */
void cache_redis_set(const struct cache_flight *f);

void cache_flight_compute(struct cache_flight *f);
/* F has its answer in body (FOUND), or there is none; frees it. */
void cache_flight_end(struct cache_flight *f, enum db_error error, bool found);
/* Redis answered after cache_free: nobody waits for F any more. */
void cache_flight_drop(struct cache_flight *f);
bool cache_is_running(void);

#endif
