/* SPDX-License-Identifier: Apache-2.0
 * The durable batch consumer: items wait in order and are stored in batches. A batch that the
 * database rejects is halved until the one bad item is left; that item is set aside, and everything
 * else is stored. While the database is down, items wait and are retried with back-off. The items
 * of a group that is locked wait by themselves. Nothing is retried for ever, and the number of
 * waiting items is bounded. */
#ifndef SLADESK_CORE_FOLLOWER_H
#define SLADESK_CORE_FOLLOWER_H

#include "db/db.h"

struct follower;

/* A batch that is being stored. The call is the consumer's to use. */
struct follower_run {
	uint32_t magic;
	struct follower *follower;
	const void *item; /* the first of N */
	size_t n;
	struct db_call call;
	struct piece *piece; /* the follower's own */
};
MAGIC(follower_run, 0xef038380);

struct follower_kind {
	const char *name;  /* the label of the metrics, and for the log */
	size_t item_size;  /* items are copied as bytes */
	size_t batch;      /* items per run, at most */
	size_t max;        /* items that may wait */
	int64_t gather_us; /* wait so long after the first item, so that more can join it */
	int parallel;      /* runs at a time; more than 1 only if the order does not matter */

	/* Begin to store the batch. follower_end must follow exactly once, on a later turn. */
	void (*run)(struct follower_run *run);
	/* An item was rejected with ERROR, or there was no room for it (DB_BUSY). Alert an
	 * operator. */
	void (*set_aside)(const void *item, enum db_error error);

	/* Optional. */
	/* Set aside what still waits when the follower is freed. */
	bool set_aside_at_end;
	/* The group of an item, within which the order is kept even if a lock is held (DB_RETRY).
	 */
	int64_t (*group)(const void *item);
	/* Take over the items of a group that is locked, instead of retrying them. */
	void (*locked)(const void *item, size_t n);
	/* Take over the items of a run that failed because the database was down or too slow,
	 * instead of retrying them. */
	void (*away)(const void *item, size_t n, enum db_error error);
	/* Called instead of set_aside if there is no room for an item. */
	void (*full)(struct follower *f);
	/* Release what ITEM refers to: after it was stored, set aside or cleared. */
	void (*item_free)(void *item);
};

/* A follower of KIND, which must outlive it; its metrics appear from now on. */
struct follower *follower_new(const struct follower_kind *kind) MUST_USE;
/* Release F and its waiting items. No run may be in progress: the database must be closed. */
void follower_free(struct follower *f);
/* Append a copy of ITEM. */
void follower_add(struct follower *f, const void *item);
/* End the batch. Frees RUN. */
void follower_end(struct follower_run *run, enum db_error error);
/* Run the waiting items now, without waiting for more to join them. */
void follower_hurry(struct follower *f);
/* While ON, start no run. */
void follower_pause(struct follower *f, bool on);
/* Drop all items that are not being stored. */
void follower_clear(struct follower *f);
/* The number of items that wait or are being stored. */
size_t follower_waiting(const struct follower *f);
/* The number of items that are in no run yet, and have not been in one. */
size_t follower_gathered(const struct follower *f);
/* The number of items stored so far. */
uint64_t follower_done(const struct follower *f);

struct follower_health {
	const char *name;
	size_t waiting;
	uint64_t done, retried, set_aside; /* items; runs; items */
};
/* Call FN for each follower. */
void followers_each(void (*fn)(void *arg, const struct follower_health *h), void *arg);

#endif
