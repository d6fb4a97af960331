/* SPDX-License-Identifier: Apache-2.0
 * The order in which a follower runs its items, and what happens to a batch after its result. Pure:
 * the follower (follower.c) runs the batches and keeps the time. */
#ifndef SLADESK_CORE_FOLLOWER_QUEUE_H
#define SLADESK_CORE_FOLLOWER_QUEUE_H

#include "base/list.h"
#include "core/follower.h"

/* Items that are run together. A piece is in one list (again or held), or being run. */
struct piece {
	struct list node;
	char *item;
	size_t n, room;
	int64_t due_us;   /* do not run it before this instant */
	int64_t since_us; /* when its group was found locked first; 0: never */
	unsigned tries;
};

struct follower_queue {
	const struct follower_kind *kind;
	char *item; /* not in a piece yet: N items from HEAD on */
	size_t head, n, room;
	struct list again; /* pieces that run before these items */
	struct list held;  /* pieces of locked groups, one group each */
	size_t in_pieces;  /* items */
	int under_way;     /* pieces */
	uint64_t set_aside;
};

/* Start with an empty queue. */
void follower_queue_init(struct follower_queue *q, const struct follower_kind *kind);
/* Release all items. */
void follower_queue_free(struct follower_queue *q);
/* Drop all items that are not being run. */
void follower_queue_clear(struct follower_queue *q);
/* Set aside all items that are not being run. */
void follower_queue_set_aside(struct follower_queue *q, enum db_error error);
/* Append a copy of ITEM; false if there is no room. */
bool follower_queue_add(struct follower_queue *q, const void *item) MUST_USE;
/* The piece to run now, or NULL. It is the caller's until follower_queue_end. */
struct piece *follower_queue_take(struct follower_queue *q, int64_t now_us);
/* How long until there may be a piece to take: 0 = now, -1 = only after an end or an add. */
int64_t follower_queue_wait_us(const struct follower_queue *q, int64_t now_us);
/* End the run of piece P with ERROR. */
void follower_queue_end(
	struct follower_queue *q, struct piece *p, enum db_error error, int64_t now_us);
/* The number of items that wait or are being run. */
size_t follower_queue_count(const struct follower_queue *q);

#endif
