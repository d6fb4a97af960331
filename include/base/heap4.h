/* SPDX-License-Identifier: Apache-2.0
 * An indexed 4-ary min-heap of instants: 16 bytes per entry plus a back-pointer, so that any entry
 * can be moved or removed in place. Slots are small integers that the caller chooses. (Williams
 * 1964; four children share a cache line: LaMarca and Ladner 1996.) */
#ifndef SLADESK_BASE_HEAP4_H
#define SLADESK_BASE_HEAP4_H

#include "base/base.h"

struct heap4_entry {
	int64_t at_us;
	uint32_t slot;
};

/* A zero-initialised heap is empty. */
struct heap4 {
	struct heap4_entry *entries;
	uint32_t *pos; /* by slot */
	size_t count, cap;
};

/* Make room for CAP entries and for slots below CAP. */
void heap4_reserve(struct heap4 *q, size_t cap);
/* Release the array; the heap is empty. */
void heap4_free(struct heap4 *q);
/* Insert SLOT, which must not be in the heap, with the instant AT_US. O(log n). */
void heap4_push(struct heap4 *q, uint32_t slot, int64_t at_us);
/* Give SLOT, which must be in the heap, the instant AT_US. O(log n). */
void heap4_move(struct heap4 *q, uint32_t slot, int64_t at_us);
/* Remove SLOT, which must be in the heap. O(log n). */
void heap4_remove(struct heap4 *q, uint32_t slot);

#endif
