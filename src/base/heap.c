/* SPDX-License-Identifier: Apache-2.0
 * The heap itself (heap4.c) knows only slots. This file holds the slots (key, tenant) and an
 * open-addressing map from key to slot. */
#include "base/heap.h"
#include "base/heap4.h"

#include <stdlib.h>

struct slot {
	uint64_t key; /* 0 = free, then tenant_id is the next free slot */
	int64_t tenant_id;
};

#define NO_SLOT UINT32_MAX

struct heap {
	struct heap4 order;
	struct slot *slots;
	uint32_t *map; /* slot + 1, 0 = empty; size is a power of two */
	size_t map_size;
	uint32_t free_slot, used_slots;
};

struct heap *heap_new(void)
{
	struct heap *h = xcalloc(1, sizeof(*h));

	h->free_slot = NO_SLOT;
	return h;
}

void heap_free(struct heap *h)
{
	if (!h)
		return;
	heap4_free(&h->order);
	free(h->slots);
	free(h->map);
	free(h);
}

/* The finaliser of splitmix64, so that neighbouring ids do not share buckets. */
static size_t hash(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return (size_t)(x ^ (x >> 31));
}

static size_t map_place(const struct heap *h, uint64_t key)
{
	size_t i = hash(key) & (h->map_size - 1);

	while (h->map[i] && h->slots[h->map[i] - 1].key != key)
		i = (i + 1) & (h->map_size - 1);
	return i;
}

static uint32_t map_find(const struct heap *h, uint64_t key)
{
	size_t i = h->map_size ? map_place(h, key) : 0;

	return h->map_size && h->map[i] ? h->map[i] - 1 : NO_SLOT;
}

/* Deletion by backward shift keeps probe chains short without tombstones (Knuth 6.4, algorithm R).
 */
static void map_remove(struct heap *h, uint64_t key)
{
	size_t mask = h->map_size - 1, hole = map_place(h, key), i = hole;

	for (;;) {
		size_t home;

		i = (i + 1) & mask;
		if (!h->map[i])
			break;
		home = hash(h->slots[h->map[i] - 1].key) & mask;
		if (((i - home) & mask) >= ((i - hole) & mask)) {
			h->map[hole] = h->map[i];
			hole = i;
		}
	}
	h->map[hole] = 0;
}

static void grow(struct heap *h, size_t cap)
{
	size_t map_size = 16;

	heap4_reserve(&h->order, cap);
	h->slots = xrealloc(h->slots, cap * sizeof(*h->slots));
	while (map_size < cap + cap / 2)
		map_size *= 2;
	if (map_size == h->map_size)
		return;
	free(h->map);
	h->map = xcalloc(map_size, sizeof(*h->map));
	h->map_size = map_size;
	for (uint32_t s = 0; s < h->used_slots; s++)
		if (h->slots[s].key)
			h->map[map_place(h, h->slots[s].key)] = s + 1;
}

static uint32_t take_slot(struct heap *h, uint64_t key, int64_t tenant_id)
{
	uint32_t s = h->free_slot;

	if (s != NO_SLOT)
		h->free_slot = (uint32_t)h->slots[s].tenant_id;
	else
		s = h->used_slots++;
	h->slots[s] = (struct slot){ .key = key, .tenant_id = tenant_id };
	h->map[map_place(h, key)] = s + 1;
	return s;
}

void heap_set(struct heap *h, uint64_t key, int64_t tenant_id, int64_t at_us)
{
	uint32_t s;

	bug_on(key == 0);
	s = map_find(h, key);
	if (s != NO_SLOT) {
		heap4_move(&h->order, s, at_us);
		return;
	}
	if (h->order.count == h->order.cap)
		grow(h, h->order.cap ? h->order.cap + h->order.cap / 2 : 16);
	heap4_push(&h->order, take_slot(h, key, tenant_id), at_us);
}

static void drop_slot(struct heap *h, uint32_t s)
{
	heap4_remove(&h->order, s);
	map_remove(h, h->slots[s].key);
	h->slots[s] = (struct slot){ .key = 0, .tenant_id = h->free_slot };
	h->free_slot = s;
}

bool heap_cancel(struct heap *h, uint64_t key)
{
	uint32_t s = map_find(h, key);

	if (s == NO_SLOT)
		return false;
	drop_slot(h, s);
	return true;
}

bool heap_peek(const struct heap *h, struct heap_item *out)
{
	const struct slot *s;

	if (!h->order.count)
		return false;
	s = &h->slots[h->order.entries[0].slot];
	*out = (struct heap_item){ h->order.entries[0].at_us, s->key, s->tenant_id };
	return true;
}

bool heap_pop(struct heap *h, struct heap_item *out)
{
	if (!heap_peek(h, out))
		return false;
	drop_slot(h, h->order.entries[0].slot);
	return true;
}

bool heap_find(const struct heap *h, uint64_t key, int64_t *out_at_us)
{
	uint32_t s = map_find(h, key);

	if (s == NO_SLOT)
		return false;
	*out_at_us = h->order.entries[h->order.pos[s]].at_us;
	return true;
}

size_t heap_count(const struct heap *h)
{
	return h->order.count;
}

size_t heap_bytes(const struct heap *h)
{
	return sizeof(*h) +
	       h->order.cap *
		       (sizeof(*h->order.entries) + sizeof(*h->order.pos) + sizeof(*h->slots)) +
	       h->map_size * sizeof(*h->map);
}

void heap_check(const struct heap *h)
{
	const struct heap4 *q = &h->order;

	for (size_t i = 0; i < q->count; i++) {
		uint32_t s = q->entries[i].slot;

		bug_on(i > 0 && q->entries[(i - 1) / 4].at_us > q->entries[i].at_us);
		bug_on(q->pos[s] != i || h->slots[s].key == 0);
		bug_on(map_find(h, h->slots[s].key) != s);
	}
}
