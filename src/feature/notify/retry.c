/* SPDX-License-Identifier: Apache-2.0 */
#include "retry.h"
#include "base/clock.h"

#define TWICE_ATTEMPTS 3
#define KEPT_MAX_S 300 /* mail leaves soon after the operator's correction */
#define WAIT_MAX_S 3600
#define RETRY_AFTER_MAX_S 86400

enum retry_rule retry_of_http(long status)
{
	if (status >= 200 && status < 300)
		return RETRY_SENT;
	switch (status) {
	case 410:
		return RETRY_GONE;
	case 0:
	case 408:
	case 421:
	case 425:
	case 429:
		return RETRY_BACKOFF;
	default:
		return status >= 300 && status < 500 ? RETRY_TWICE : RETRY_BACKOFF;
	}
}

bool retry_is_over(enum retry_rule rule, int attempt, int attempts, int64_t age_s, int64_t keep_s)
{
	switch (rule) {
	case RETRY_BACKOFF:
		return attempt >= attempts;
	case RETRY_TWICE:
		return attempt >= (attempts < TWICE_ATTEMPTS ? attempts : TWICE_ATTEMPTS);
	case RETRY_KEPT:
		return age_s >= keep_s;
	case RETRY_SENT:
	case RETRY_NONE:
	case RETRY_DROPPED:
	case RETRY_GONE:
		break;
	}
	return true;
}

static int64_t wait_s(enum retry_rule rule, int attempt, int64_t backoff_s)
{
	int64_t s = backoff_s, most = rule == RETRY_KEPT ? KEPT_MAX_S : WAIT_MAX_S;

	if (rule == RETRY_TWICE)
		return attempt < 2 ? 600 : 1800;
	for (int i = 1; i < attempt && s < most; i++)
		s *= 2;
	return s < most ? s : most;
}

int64_t retry_wait_us(enum retry_rule rule, int attempt, int64_t backoff_s, int64_t retry_after_s,
	unsigned char jitter)
{
	int64_t s = wait_s(rule, attempt, backoff_s),
		us = s * US_PER_S * 3 / 4 + s * US_PER_S * jitter / 512,
		asked = (retry_after_s < RETRY_AFTER_MAX_S ? retry_after_s : RETRY_AFTER_MAX_S) *
			US_PER_S;

	return us > asked ? us : asked + s * US_PER_S * jitter / 2048; /* others ask the same */
}
