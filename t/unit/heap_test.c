/* SPDX-License-Identifier: Apache-2.0
 * The heap against a naive model: a sorted scan over an array. */
#include "unit.h"
#include "base/heap.h"

#define KEYS 300

static int64_t model[KEYS + 1]; /* 0 = absent */
static uint64_t seed = 88172645463325252ULL;

static uint64_t rnd(void) /* xorshift64, Marsaglia 2003: the same run every time */
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static int64_t model_min(void)
{
	int64_t best = 0;

	for (int i = 1; i <= KEYS; i++)
		if (model[i] && (!best || model[i] < best))
			best = model[i];
	return best;
}

static size_t model_count(void)
{
	size_t n = 0;

	for (int i = 1; i <= KEYS; i++)
		n += model[i] != 0;
	return n;
}

static void agrees_with_model(void)
{
	struct heap *h = heap_new();
	struct heap_item it;

	for (int step = 0; step < 200000; step++) {
		uint64_t key = rnd() % KEYS + 1;
		int64_t when = (int64_t)(rnd() % 1000) + 1;

		switch (rnd() % 4) {
		case 0:
		case 1:
			heap_set(h, key, 7, when);
			model[key] = when;
			break;
		case 2:
			CU_ASSERT_EQUAL(heap_cancel(h, key), model[key] != 0);
			model[key] = 0;
			break;
		case 3:
			if (heap_pop(h, &it)) {
				CU_ASSERT_EQUAL(it.at_us, model_min());
				CU_ASSERT_EQUAL(it.at_us, model[it.key]);
				CU_ASSERT_EQUAL(it.tenant_id, 7);
				model[it.key] = 0;
			} else {
				CU_ASSERT_EQUAL(model_count(), 0);
			}
			break;
		}
		CU_ASSERT_EQUAL(heap_count(h), model_count());
		if (step % 1000 == 0)
			heap_check(h);
	}
	heap_free(h);
}

static void comes_out_in_order(void)
{
	struct heap_item items[5000], it;
	struct heap *h = heap_new();
	int64_t last = 0, found;

	for (int i = 0; i < 5000; i++)
		items[i] = (struct heap_item){ (int64_t)(rnd() % 100000), (uint64_t)i + 1, 1 };
	for (int i = 0; i < 5000; i++)
		heap_set(h, items[i].key, items[i].tenant_id, items[i].at_us);
	heap_check(h);
	CU_ASSERT(heap_find(h, 17, &found));
	CU_ASSERT_EQUAL(found, items[16].at_us);
	for (int i = 0; i < 5000; i++) {
		CU_ASSERT_FATAL(heap_pop(h, &it));
		CU_ASSERT(it.at_us >= last);
		last = it.at_us;
	}
	CU_ASSERT_FALSE(heap_pop(h, &it));
	heap_free(h);
}

static void small_enough(void)
{
	struct heap *h = heap_new();

	for (uint64_t i = 1; i <= 100000; i++)
		heap_set(h, i, 1, (int64_t)(rnd() % 1000000));
	CU_ASSERT(heap_bytes(h) <= 100000 * 72);
	heap_free(h);
}

UNIT_MAIN("heap", { "equals a naive model", agrees_with_model },
	{ "items come out in order", comes_out_in_order },
	{ "at most 72 bytes for each entry in total", small_enough })
