/* SPDX-License-Identifier: Apache-2.0
 * The timer min-heap: 4-ary, indexed by subject, 16 bytes an entry in the heap's own array. One
 * entry a subject (a running clock, a ladder, a timer row), holding its next instant. It is a cache
 * over the database's index on next_fire_at; the row is the truth. After 4-ary heaps as in "A
 * Back-to-Basics Empirical Study of Priority Queues" (Larkin, Sen, Tarjan 2013). */
#ifndef SLADESK_BASE_HEAP_H
#define SLADESK_BASE_HEAP_H

#include "base/base.h"

struct heap_item {
	int64_t at_us;
	uint64_t key; /* the caller's name of the subject, never 0 */
	int64_t tenant_id;
};

struct heap;

/* An empty heap; heap_free releases it. */
struct heap *heap_new(void) MUST_USE;
/* Release the heap and its entries. NULL is allowed. */
void heap_free(struct heap *h);
/* Insert KEY, or move it when it is there already. O(log n). */
void heap_set(struct heap *h, uint64_t key, int64_t tenant_id, int64_t at_us);
/* Remove KEY; false when it is not there. */
bool heap_cancel(struct heap *h, uint64_t key);
/* The earliest item, without removing it; false when empty. */
bool heap_peek(const struct heap *h, struct heap_item *out);
/* Remove and return the earliest item; false when empty. */
bool heap_pop(struct heap *h, struct heap_item *out);
/* The instant held for KEY; false when it is not there. */
bool heap_find(const struct heap *h, uint64_t key, int64_t *out_at_us);
/* How many entries it holds. */
size_t heap_count(const struct heap *h);
/* Bytes held for N entries all in: array, slots and id map. */
size_t heap_bytes(const struct heap *h);
/* Abort unless order, positions and map agree: for the tests. */
void heap_check(const struct heap *h);

#endif
