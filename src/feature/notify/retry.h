/* SPDX-License-Identifier: Apache-2.0
 * What a failed delivery means for the next attempt. Pure: no I/O, no clock. */
#ifndef SLADESK_FEATURE_NOTIFY_RETRY_H
#define SLADESK_FEATURE_NOTIFY_RETRY_H

#include "base/base.h"

enum retry_rule {
	RETRY_SENT,    /* delivered */
	RETRY_BACKOFF, /* up to notify.attempts attempts, each after twice the time */
	RETRY_TWICE,   /* two more attempts within an hour */
	RETRY_KEPT,    /* for notify.keep_days, until an operator has corrected our side; attempts
			  are not counted */
	RETRY_NONE,    /* a retry does not help */
	RETRY_DROPPED, /* not sent, because the recipient may not read it any more */
	RETRY_GONE,    /* the receiver wants nothing any more: it is switched off */
};

/* The rule for an HTTP status (0: no response). 408, 425, 429 and 5xx pass (RFC 9110, section 15;
 * RFC 8470; RFC 6585); 410 says that the receiver is gone for good. Redirects are not followed. */
enum retry_rule retry_of_http(long status);

/* Is a notification dead after attempt number ATTEMPT (from 1) failed under RULE, AGE_S after its
 * event? ATTEMPTS and KEEP_S: the settings notify.attempts and notify.keep_days. */
bool retry_is_over(enum retry_rule rule, int attempt, int attempts, int64_t age_s, int64_t keep_s);

/* Microseconds until the attempt after number ATTEMPT. BACKOFF_S: the setting notify.backoff_s;
 * RETRY_AFTER_S: what the receiver asked for, at most a day is granted; JITTER: a random byte that
 * spreads the result over 75 % to 125 %, but never below RETRY_AFTER_S. */
int64_t retry_wait_us(enum retry_rule rule, int attempt, int64_t backoff_s, int64_t retry_after_s,
	unsigned char jitter);

#endif
