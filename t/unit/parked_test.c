/* SPDX-License-Identifier: Apache-2.0
 * Parked deadlines: how long they wait, and what is recorded about them. */
#include "unit.h"
#include "../../src/timers/inner.h"
#include "base/clock.h"
#include "base/log.h"

static void test_waits_grow_to_a_bound(void)
{
	for (int why = 0; why < PARK_WHYS; why++) {
		int64_t before = 0;

		for (unsigned tries = 1; tries < 200; tries++) {
			int64_t wait = park_wait_us((enum park_why)why, tries);

			CU_ASSERT(wait >= before);
			before = wait;
		}
	}
	CU_ASSERT_EQUAL(park_wait_us(PARK_BUSY, 1), 20000);
	CU_ASSERT_EQUAL(park_wait_us(PARK_BUSY, 20), 2 * US_PER_S);
	CU_ASSERT_EQUAL(park_wait_us(PARK_BUSY, 4000000000U), 30 * US_PER_S);
	CU_ASSERT_EQUAL(park_wait_us(PARK_REFUSED, 1), US_PER_S);
	CU_ASSERT_EQUAL(park_wait_us(PARK_REFUSED, 5), 16 * US_PER_S);
	CU_ASSERT_EQUAL(park_wait_us(PARK_REFUSED, 4000000000U), 300 * US_PER_S);
}

static void test_the_table(void)
{
	int64_t due, now = clock_now_us(), at;

	log_open("/dev/null", LOG_ERROR, false);
	CU_ASSERT_EQUAL(park_oldest_us(), INT64_MAX);
	for (int64_t id = 1; id <= 2000; id++) {
		at = park_set(KEY(id, ANY_CLOCK), 7, now - id, PARK_UNREADABLE, 0);
		CU_ASSERT(at > now && at < now + 2 * US_PER_S);
	}
	CU_ASSERT_EQUAL(park_count(), 2000);
	CU_ASSERT_EQUAL(park_oldest_us(), now - 2000);
	/* again: later, and still due since the first time */
	at = park_set(KEY(5, ANY_CLOCK), 7, now, PARK_UNREADABLE, 0);
	CU_ASSERT(at >= now + 2 * US_PER_S);
	CU_ASSERT(park_find(KEY(5, ANY_CLOCK), &due));
	CU_ASSERT_EQUAL(due, now - 5);
	/* for another reason: the delays start again */
	at = park_set(KEY(5, ANY_CLOCK), 7, now, PARK_BUSY, 0);
	CU_ASSERT(at < now + US_PER_S);
	/* a timer with the same number is a different deadline */
	CU_ASSERT_FALSE(park_find(KEY(5, 0), &due));
	park_set(KEY(5, 0), 7, now, PARK_FAILED, 11);
	CU_ASSERT_EQUAL(park_count(), 2001);
	for (int64_t id = 1; id <= 2000; id++)
		CU_ASSERT(park_clear(KEY(id, ANY_CLOCK)));
	CU_ASSERT_FALSE(park_clear(KEY(1, ANY_CLOCK)));
	CU_ASSERT_EQUAL(park_count(), 1);
	CU_ASSERT_EQUAL(park_oldest_us(), now);
	park_free();
	CU_ASSERT_EQUAL(park_count(), 0);
}

UNIT_MAIN("parked", { "delays grow up to a limit", test_waits_grow_to_a_bound },
	{ "the table", test_the_table })
