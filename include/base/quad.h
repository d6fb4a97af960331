/* SPDX-License-Identifier: Apache-2.0
 * An indexed 4-ary min-heap of instants: 16 bytes an entry and a back-pointer each, so that any
 * entry can be moved or removed where it stands. Slots are the caller's small integers. (Williams
 * 1964; four children share a cache line: LaMarca and Ladner 1996.) */
#ifndef SLADESK_BASE_QUAD_H
#define SLADESK_BASE_QUAD_H

#include "base/base.h"

struct quad_entry {
	int64_t at_us;
	uint32_t slot;
};

/* Zero-initialised is empty. */
struct quad {
	struct quad_entry *entries;
	uint32_t *pos; /* by slot */
	size_t count, cap;
};

/* Room for CAP entries and slots below CAP. */
void quad_reserve(struct quad *q, size_t cap);
void quad_free(struct quad *q);
/* SLOT is not in the heap. */
void quad_push(struct quad *q, uint32_t slot, int64_t at_us);
/* SLOT is in the heap. */
void quad_move(struct quad *q, uint32_t slot, int64_t at_us);
void quad_remove(struct quad *q, uint32_t slot);

#endif
