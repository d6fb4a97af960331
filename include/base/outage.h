/* SPDX-License-Identifier: Apache-2.0
 * Outages of outside parts in the log: one line when an outage begins, and one when it has ended,
 * with its length and the number of failures, however often the part was tried in between. Who
 * speaks to a part tells here of its failures and successes; lines about what follows from an
 * outage ask outage_is_on and stay away. */
#ifndef SLADESK_BASE_OUTAGE_H
#define SLADESK_BASE_OUTAGE_H

#include "base/log.h"

/* PART ("postgresql", "mail smtp://relay:25") failed for the reason FMT. The first failure is a
 * line of LEVEL. During an outage failures are counted; another reason is a line too, at most once
 * in ten minutes. Digits do not make another reason. */
void outage_note(enum log_level level, const char *part, const char *fmt, ...) PRINTF(3, 4);
/* PART works. If it still does five seconds later, its outage has ended. */
void outage_back(const char *part);
/* Has PART failed, and not worked since? */
bool outage_is_on(const char *part);
/* Write the lines about outages that have ended at NOW (monotonic). Call it every second. */
void outage_tick(int64_t now_us);
/* Forget all outages. */
void outage_free(void);

#endif
