/* SPDX-License-Identifier: Apache-2.0
 * What every status means for the next attempt, and the delay before it. */
#include "unit.h"
#include "base/clock.h"
#include "feature/notify/retry.h"

static void statuses(void)
{
	for (long status = 0; status < 700; status++) {
		enum retry_rule expected = status >= 200 && status < 300   ? RETRY_SENT
					   : status >= 300 && status < 500 ? RETRY_TWICE
									   : RETRY_BACKOFF;

		if (status == 408 || status == 421 || status == 425 || status == 429)
			expected = RETRY_BACKOFF;
		if (status == 410)
			expected = RETRY_GONE;
		CU_ASSERT_EQUAL(retry_of_http(status), expected);
	}
}

static void ends(void)
{
	for (int attempt = 1; attempt < 40; attempt++)
		for (int attempts = 1; attempts < 20; attempts++) {
			for (int64_t age_s = 0; age_s < 10; age_s++) {
				CU_ASSERT_EQUAL(
					retry_is_over(RETRY_BACKOFF, attempt, attempts, age_s, 7),
					attempt >= attempts);
				CU_ASSERT_EQUAL(
					retry_is_over(RETRY_TWICE, attempt, attempts, age_s, 7),
					attempt >= 3 || attempt >= attempts);
				CU_ASSERT_EQUAL(
					retry_is_over(RETRY_KEPT, attempt, attempts, age_s, 7),
					age_s >= 7);
				CU_ASSERT_TRUE(
					retry_is_over(RETRY_NONE, attempt, attempts, age_s, 7));
				CU_ASSERT_TRUE(
					retry_is_over(RETRY_GONE, attempt, attempts, age_s, 7));
			}
		}
}

static void waits(void)
{
	int64_t before = 0, hour = 3600 * US_PER_S;

	for (int attempt = 1; attempt < 60; attempt++) {
		int64_t low = retry_wait_us(RETRY_BACKOFF, attempt, 5, 0, 0),
			high = retry_wait_us(RETRY_BACKOFF, attempt, 5, 0, 255);

		CU_ASSERT(low >= before && low < high && high <= hour * 5 / 4);
		CU_ASSERT(retry_wait_us(RETRY_KEPT, attempt, 5, 0, 255) <= 300 * US_PER_S * 5 / 4);
		before = low;
	}
	CU_ASSERT_EQUAL(retry_wait_us(RETRY_BACKOFF, 1, 5, 0, 0), 3750000);
	/* the two further attempts end within an hour */
	CU_ASSERT(retry_wait_us(RETRY_TWICE, 1, 5, 0, 255) +
			  retry_wait_us(RETRY_TWICE, 2, 5, 0, 255) <
		  hour);
}

static void receivers_ask(void)
{
	for (int jitter = 0; jitter < 256; jitter++) {
		CU_ASSERT(retry_wait_us(RETRY_BACKOFF, 1, 5, 120, (unsigned char)jitter) >=
			  120 * US_PER_S);
		CU_ASSERT(retry_wait_us(RETRY_BACKOFF, 1, 5, 120, (unsigned char)jitter) <=
			  122 * US_PER_S);
		/* our own delay applies if it is longer */
		CU_ASSERT(retry_wait_us(RETRY_BACKOFF, 9, 60, 1, (unsigned char)jitter) >=
			  2700 * US_PER_S);
	}
	/* a day at most, whatever the receiver asks for */
	CU_ASSERT(retry_wait_us(RETRY_BACKOFF, 1, 5, INT32_MAX, 255) <= 86402 * US_PER_S);
	CU_ASSERT(retry_wait_us(RETRY_BACKOFF, 1, 5, INT32_MAX, 0) >= 86400 * US_PER_S);
}

UNIT_MAIN("retry", { "statuses", statuses }, { "ends", ends }, { "waits", waits },
	{ "Retry-After", receivers_ask })
