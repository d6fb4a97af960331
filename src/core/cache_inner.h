/* SPDX-License-Identifier: Apache-2.0
 * What the two halves of the cache share: cache.c keeps and computes results, cache_redis.c shares
 * them with other instances. */
#ifndef SLADESK_CORE_CACHE_INNER_H
#define SLADESK_CORE_CACHE_INNER_H

#include "base/magic.h"
#include "core/cache.h"

struct cache_key {
	unsigned char digest[32]; /* digest of the whole context and the query */
};

/* A result that is being computed, and the requests that wait for it. */
struct cache_flight {
	uint32_t magic;
	struct list node, waiters;
	struct db_call call;
	struct cached_query query;
	struct cache_key key;
	char *texts; /* the texts of the query and the context */
	struct buf body;
	int step;
	uint64_t generation;
	int64_t seq;     /* the seq of the tenant counted before the computation; 0: do not share */
	int64_t counted; /* the same, whether shared or not; 0: not on the replica */
	char now[24];
	int64_t at_us;   /* when it was computed by another instance; 0: here and now */
	int64_t made_us; /* when it was computed, on any instance: reported and shared */
	bool computes;   /* false: ask Redis first */
	bool replica;    /* it is computed on the replica */
};
MAGIC(cache_flight, 0xb5164c57);

/* Ask Redis for F's result. Continues with cache_flight_compute, or with cache_flight_end if Redis
 * has it. */
void cache_redis_get(struct cache_flight *f);
/* Store F's result in Redis. */
void cache_redis_set(const struct cache_flight *f);

void cache_flight_compute(struct cache_flight *f);
/* End F: its result is in body (FOUND), or there is none. Frees F. */
void cache_flight_end(struct cache_flight *f, enum db_error error, bool found);
/* Free F, because Redis answered after cache_free, and nobody waits for F any more. */
void cache_flight_drop(struct cache_flight *f);
bool cache_is_running(void);

#endif
