/* SPDX-License-Identifier: Apache-2.0
 * Lists of ids: what is a valid list, which ids it contains, and the cost of a look-up. */
#include "base/clock.h"
#include "base/idlist.h"
#include "unit.h"

#include <string.h>

static void reading(void)
{
	static const char *const bad[] = { "", "{", "}", "1,2", "{1,2", "1,2}", "{1,}", "{,1}",
		"{1,,2}", "{1 ,2}", "{x}", "{1;2}", "{NULL}", "{1,2}x" };
	struct id_list list;

	CU_ASSERT_TRUE(id_list_read(STR("{}"), &list));
	CU_ASSERT_TRUE(list.n == 0 && !id_list_has(&list, 0));
	id_list_free(&list);
	CU_ASSERT_TRUE(id_list_read(STR("{7}"), &list));
	CU_ASSERT_TRUE(list.n == 1 && id_list_has(&list, 7) && !id_list_has(&list, 77));
	id_list_free(&list);
	CU_ASSERT_TRUE(id_list_read(STR("{12,3,12,9007199254740991,-4,3}"), &list));
	CU_ASSERT_EQUAL(list.n, 4);
	CU_ASSERT_TRUE(id_list_has(&list, -4) && id_list_has(&list, 3) && id_list_has(&list, 12) &&
		       id_list_has(&list, 9007199254740991));
	CU_ASSERT_FALSE(id_list_has(&list, 1) || id_list_has(&list, 2) || id_list_has(&list, 123) ||
			id_list_has(&list, INT64_MIN) || id_list_has(&list, INT64_MAX));
	id_list_free(&list);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CU_ASSERT_FALSE(id_list_read(str_of(bad[i]), &list));
		CU_ASSERT_TRUE(list.n == 0 && !list.ids);
	}
}

/* Every list of up to 200 ids in random order contains what was put in and nothing else. */
static void random_lists(void)
{
	uint32_t seed = 1;

	for (size_t n = 0; n <= 200; n++) {
		struct buf b = { 0 };
		bool in[1000] = { false };
		struct id_list list;

		buf_addc(&b, '{');
		for (size_t i = 0; i < n; i++) {
			uint32_t v = (seed = seed * 1664525 + 1013904223) >> 8;

			in[v % 1000] = true;
			buf_addf(&b, "%s%u", i ? "," : "", v % 1000);
		}
		buf_addc(&b, '}');
		CU_ASSERT_TRUE(id_list_read((struct str){ b.p, b.n }, &list));
		for (int64_t v = 0; v < 1000; v++)
			CU_ASSERT_EQUAL(id_list_has(&list, v), in[v]);
		id_list_free(&list);
		buf_free(&b);
	}
}

static void cost(void)
{
	enum { N = 10000, ROUNDS = 200000 };
	struct buf b = { 0 };
	struct id_list list;
	int64_t began, found = 0;
	double read_us, ask_us;

	for (int i = 0; i < N; i++)
		buf_addf(&b, "%c%d", i ? ',' : '{', 2 + i * 3);
	buf_addc(&b, '}');
	began = clock_mono_us();
	CU_ASSERT_TRUE(id_list_read((struct str){ b.p, b.n }, &list));
	read_us = (double)(clock_mono_us() - began);
	began = clock_mono_us();
	for (int i = 0; i < ROUNDS; i++)
		found += id_list_has(&list, i % (3 * N));
	ask_us = (double)(clock_mono_us() - began) / ROUNDS;
	printf("# %d tenants: read once in %.0f us, asked in %.3f us (limit 1)\n", N, read_us,
		ask_us);
	CU_ASSERT_TRUE(found > ROUNDS / 4 && ask_us < 1);
	id_list_free(&list);
	buf_free(&b);
}

UNIT_MAIN("lists of ids", { "valid lists", reading }, { "random lists", random_lists },
	{ "the cost of a look-up", cost })
