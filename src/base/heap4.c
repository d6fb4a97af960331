/* SPDX-License-Identifier: Apache-2.0 */
#include "base/heap4.h"

#include <stdlib.h>

void heap4_reserve(struct heap4 *q, size_t cap)
{
	if (cap <= q->cap)
		return;
	q->entries = xrealloc(q->entries, cap * sizeof(*q->entries));
	q->pos = xrealloc(q->pos, cap * sizeof(*q->pos));
	q->cap = cap;
}

void heap4_free(struct heap4 *q)
{
	free(q->entries);
	free(q->pos);
	*q = (struct heap4){ 0 };
}

static void place_entry(struct heap4 *q, size_t pos, struct heap4_entry e)
{
	q->entries[pos] = e;
	q->pos[e.slot] = (uint32_t)pos;
}

static void sift_up(struct heap4 *q, size_t pos, struct heap4_entry e)
{
	while (pos > 0) {
		size_t parent = (pos - 1) / 4;

		if (q->entries[parent].at_us <= e.at_us)
			break;
		place_entry(q, pos, q->entries[parent]);
		pos = parent;
	}
	place_entry(q, pos, e);
}

static void sift_down(struct heap4 *q, size_t pos, struct heap4_entry e)
{
	for (;;) {
		size_t child = pos * 4 + 1, last = child + 4, best = child;

		if (child >= q->count)
			break;
		if (last > q->count)
			last = q->count;
		while (++child < last)
			if (q->entries[child].at_us < q->entries[best].at_us)
				best = child;
		if (q->entries[best].at_us >= e.at_us)
			break;
		place_entry(q, pos, q->entries[best]);
		pos = best;
	}
	place_entry(q, pos, e);
}

static void place(struct heap4 *q, size_t pos, struct heap4_entry e)
{
	if (pos > 0 && q->entries[(pos - 1) / 4].at_us > e.at_us)
		sift_up(q, pos, e);
	else
		sift_down(q, pos, e);
}

void heap4_push(struct heap4 *q, uint32_t slot, int64_t at_us)
{
	q->count++;
	sift_up(q, q->count - 1, (struct heap4_entry){ at_us, slot });
}

void heap4_move(struct heap4 *q, uint32_t slot, int64_t at_us)
{
	place(q, q->pos[slot], (struct heap4_entry){ at_us, slot });
}

void heap4_remove(struct heap4 *q, uint32_t slot)
{
	size_t pos = q->pos[slot];
	struct heap4_entry last = q->entries[--q->count];

	if (pos < q->count)
		place(q, pos, last);
}
