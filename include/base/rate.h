/* SPDX-License-Identifier: Apache-2.0
 * Compliance rates, which appear in signed reports: the kept promises as a percentage of all
 * decided ones. A rate is rounded to 100 only if every promise was kept, and to 0 only if none was
 * (doc/api/metrics.md). Nothing else computes a rate. */
#ifndef SLADESK_BASE_RATE_H
#define SLADESK_BASE_RATE_H

#include "base/base.h"

/* PART of ALL in units of a WHOLE (1000: tenths of a percent), rounded half up; WHOLE only if PART
 * is ALL, and 0 only if PART is 0. ALL is at least 1, and ALL times WHOLE fits. */
int64_t rate_of(int64_t part, int64_t all, int64_t whole);
/* Write the rate as "99.97" with two digits. OUT needs 16 bytes. Returns OUT. */
const char *rate_text(int64_t part, int64_t all, char *out);
/* Append ,"NAME":99.9,"NAME_met":2999,"NAME_decided":3000; the rate is null when ALL is 0. */
void json_add_rate(struct buf *b, const char *name, int64_t part, int64_t all);
/* The same members for a reader who may not see them: all null. */
void json_add_rate_masked(struct buf *b, const char *name);

#endif
