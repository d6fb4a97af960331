/* SPDX-License-Identifier: Apache-2.0
 * Rates: 100 only if everything was kept, 0 only if nothing was, otherwise the nearest value; a
 * larger part never has a lower rate. */
#include "base/rate.h"
#include "unit.h"

#include <string.h>

static void check(int64_t part, int64_t all, int64_t whole)
{
	int64_t r = rate_of(part, all, whole), rest = part * whole - r * all;

	CU_ASSERT_EQUAL(r == whole, part == all);
	CU_ASSERT_EQUAL(r == 0, part == 0);
	CU_ASSERT(r >= 0 && r <= whole);
	/* the nearest value, but for those beside the ends */
	if (r > 1 && r < whole - 1)
		CU_ASSERT(2 * (rest < 0 ? -rest : rest) <= all);
	if (part > 0)
		CU_ASSERT(rate_of(part - 1, all, whole) <= r);
}

static void property(void)
{
	unsigned seed = 7;
	long n = 0;

	for (int64_t all = 1; all <= 300; all++)
		for (int64_t part = 0; part <= all; part++, n++) {
			check(part, all, 1000);
			check(part, all, 10000);
		}
	for (int i = 0; i < 20000; i++, n++) {
		int64_t all = 1 + (int64_t)rand_r(&seed) % 1000000000,
			part = rand_r(&seed) % 4 == 0 ? all - rand_r(&seed) % 3
						      : (int64_t)rand_r(&seed) % (all + 1);

		part = part < 0 ? 0 : part;
		check(part, all, 1000);
		check(part, all, 10000);
	}
	printf("# %ld pairs\n", n);
}

static void texts(void)
{
	static const struct {
		int64_t part, all;
		const char *json, *text;
	} cases[] = { { 2999, 3000, "99.9", "99.97" }, { 1, 3000, "0.1", "0.03" },
		{ 3000, 3000, "100.0", "100.00" }, { 0, 3000, "0.0", "0.00" },
		{ 99999, 100000, "99.9", "99.99" }, { 1, 1000000, "0.1", "0.01" },
		{ 2, 3, "66.7", "66.67" }, { 1, 1, "100.0", "100.00" } };
	char out[16], want[80];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf b = { 0 };

		json_add_rate(&b, "x", cases[i].part, cases[i].all);
		snprintf(want, sizeof(want), ",\"x\":%s,\"x_met\":%lld,\"x_decided\":%lld",
			cases[i].json, (long long)cases[i].part, (long long)cases[i].all);
		CU_ASSERT_STRING_EQUAL(buf_cstr(&b), want);
		CU_ASSERT_STRING_EQUAL(rate_text(cases[i].part, cases[i].all, out), cases[i].text);
		buf_free(&b);
	}
}

UNIT_MAIN("rate", { "100 and 0 are exact, others are rounded", property }, { "texts", texts })
