/* SPDX-License-Identifier: Apache-2.0
 * Token buckets without Redis: a burst, then the rate; a bucket for each kind and key; a flood of
 * keys uses bounded memory. */
#include "base/clock.h"
#include "core/limit.h"
#include "unit.h"

#include <string.h>

static void set(int64_t per_s, int64_t burst)
{
	struct limit_rate all[LIMIT_COUNT];

	for (int k = 0; k < LIMIT_COUNT; k++)
		all[k] = (struct limit_rate){ per_s, burst };
	limit_free();
	limit_set(all);
}

static void burst_and_rate(void)
{
	uint64_t refused = limit_refused(LIMIT_USER);
	int64_t began, wait;
	int taken = 0;

	set(1, 5);
	for (int i = 0; i < 5; i++)
		CU_ASSERT_EQUAL(limit_take(LIMIT_USER, STR("a")), 0);
	wait = limit_take(LIMIT_USER, STR("a"));
	CU_ASSERT_TRUE(wait >= 1 && wait <= 2);
	CU_ASSERT_EQUAL(limit_refused(LIMIT_USER), refused + 1);
	/* another key, another kind */
	CU_ASSERT_EQUAL(limit_take(LIMIT_USER, STR("b")), 0);
	CU_ASSERT_EQUAL(limit_take(LIMIT_TENANT, STR("a")), 0);
	CU_ASSERT_EQUAL(limit_refused(LIMIT_TENANT), 0);
	/* 1000 a second: after a while some are back, never more than the burst */
	set(1000, 20);
	while (limit_take(LIMIT_USER, STR("c")) == 0)
		taken++;
	CU_ASSERT_TRUE(taken >= 20);
	began = clock_mono_us();
	while (clock_mono_us() - began < 100000)
		;
	for (taken = 0; limit_take(LIMIT_USER, STR("c")) == 0 && taken < 1000;)
		taken++;
	CU_ASSERT_TRUE(taken >= 20 && taken < 100);
}

static void no_limit(void)
{
	set(0, 0);
	for (int i = 0; i < 1000; i++)
		CU_ASSERT_EQUAL(limit_take(LIMIT_ADDRESS, STR("a")), 0);
	set(1, 1);
	for (int i = 0; i < 10; i++) /* nobody's: not counted as one */
		CU_ASSERT_EQUAL(limit_take(LIMIT_ADDRESS, STR("")), 0);
}

static void keys(void)
{
	char longer[300];

	set(1, 2);
	memset(longer, 'k', sizeof(longer));
	CU_ASSERT_EQUAL(limit_take(LIMIT_LOGIN, (struct str){ longer, 299 }), 0);
	CU_ASSERT_EQUAL(limit_take(LIMIT_LOGIN, (struct str){ longer, 298 }), 0);
	/* keys that differ only beyond what is kept share a bucket, and it is bounded */
	CU_ASSERT_TRUE(limit_take(LIMIT_LOGIN, (struct str){ longer, 299 }) > 0);
	for (int k = 0; k < LIMIT_COUNT; k++)
		CU_ASSERT_TRUE(strlen(limit_name((enum limit)k)) > 0);
	CU_ASSERT_EQUAL(limit_rate(LIMIT_LOGIN).burst, 2);
}

/* More addresses than are kept: the new ones share one bucket, known ones keep theirs. */
static void a_flood(void)
{
	char key[24];
	int shared = 0;

	set(1, 3);
	CU_ASSERT_EQUAL(limit_take(LIMIT_ADDRESS, STR("friend")), 0);
	for (int i = 0; i < 110000; i++) {
		snprintf(key, sizeof(key), "10.%d", i);
		shared += limit_take(LIMIT_ADDRESS, str_of(key)) > 0;
	}
	CU_ASSERT_TRUE(shared > 9000);
	CU_ASSERT_EQUAL(limit_take(LIMIT_ADDRESS, STR("friend")), 0);
	limit_free();
	CU_ASSERT_EQUAL(limit_take(LIMIT_ADDRESS, STR("10.109999")), 0);
	limit_free();
}

/* With a full table, a new key examines a few buckets, not all of them, whether they are still
 * needed or not. */
static void a_full_table(void)
{
	char key[24];
	uint64_t steps;

	/* all are needed: nothing is found, at once */
	set(1, 1000000);
	for (int i = 0; i < 100000; i++) {
		snprintf(key, sizeof(key), "a%d", i);
		CU_ASSERT_EQUAL(limit_take(LIMIT_ADDRESS, str_of(key)), 0);
	}
	steps = limit_steps();
	for (int i = 0; i < 1000; i++) {
		snprintf(key, sizeof(key), "b%d", i);
		CU_ASSERT_EQUAL(limit_take(LIMIT_USER, str_of(key)), 0);
	}
	CU_ASSERT_TRUE(limit_steps() > steps);
	CU_ASSERT_TRUE(limit_steps() - steps <= 1000 * 2 * LIMIT_COUNT);
	/* those that are full again after a millisecond make room one by one, nobody shares */
	set(1000, 1);
	steps = limit_steps();
	for (int i = 0; i < 250000; i++) {
		snprintf(key, sizeof(key), "c%d", i);
		CU_ASSERT_EQUAL(limit_take(LIMIT_ADDRESS, str_of(key)), 0);
	}
	CU_ASSERT_TRUE(limit_steps() - steps >= 150000);
	CU_ASSERT_TRUE(limit_steps() - steps <= 160000);
	limit_free();
}

UNIT_MAIN("limit", { "burst and rate", burst_and_rate }, { "no limit", no_limit }, { "keys", keys },
	{ "a flood of addresses", a_flood }, { "a full table", a_full_table })
