/* SPDX-License-Identifier: Apache-2.0
 * The timer min-heap: 4-ary, indexed by subject, 16 bytes per entry in the heap's own array. Each
 * subject (a running clock, a ladder, a timer row) has one entry with its next instant. The heap is
 * a cache of the database index on next_fire_at; the row is the truth. Design after the 4-ary heaps
 * in "A Back-to-Basics Empirical Study of Priority Queues" (Larkin, Sen, Tarjan 2013). */
#ifndef SLADESK_BASE_HEAP_H
#define SLADESK_BASE_HEAP_H

#include "base/base.h"

struct heap_item {
	int64_t at_us;
	uint64_t key; /* the caller's name for the subject, never 0 */
	int64_t tenant_id;
};

struct heap;

/* An empty heap; heap_free releases it. */
struct heap *heap_new(void) MUST_USE;
/* Release the heap and its entries. NULL is allowed. */
void heap_free(struct heap *h);
/* Insert KEY, or move it if it is already in the heap. O(log n). */
void heap_set(struct heap *h, uint64_t key, int64_t tenant_id, int64_t at_us);
/* Remove KEY. Returns false if it is not in the heap. */
bool heap_cancel(struct heap *h, uint64_t key);
/* Return the earliest item without removing it. Returns false if the heap is empty. */
bool heap_peek(const struct heap *h, struct heap_item *out);
/* Remove and return the earliest item. Returns false if the heap is empty. */
bool heap_pop(struct heap *h, struct heap_item *out);
/* Return the instant of KEY. Returns false if KEY is not in the heap. */
bool heap_find(const struct heap *h, uint64_t key, int64_t *out_at_us);
/* Return the number of entries. */
size_t heap_count(const struct heap *h);
/* Bytes used for N entries in total: array, slots and id map. */
size_t heap_bytes(const struct heap *h);
/* Abort unless order, positions and map are consistent. For tests. */
void heap_check(const struct heap *h);

#endif
