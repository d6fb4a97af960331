/* SPDX-License-Identifier: Apache-2.0
 * Explains a clock (sla.md 6): its life as intervals, in order. Pure. */
#ifndef SLADESK_SLA_EXPLAIN_H
#define SLADESK_SLA_EXPLAIN_H

#include "sla/clock.h"

enum sla_interval_kind { INTERVAL_WORKED, INTERVAL_CLOSED, INTERVAL_HOLIDAY, INTERVAL_PAUSED };
/* The interval's name in the API. */
const char *sla_interval_name(enum sla_interval_kind k);

/* An interval of a clock's life; CONSUMED_US is the time consumed in it. */
typedef void sla_interval_fn(
	void *arg, enum sla_interval_kind kind, int64_t from, int64_t to, int64_t consumed_us);
/* Call FN for each interval of clock K up to NOW, at most MAX of them, in order. Returns the number
 * of intervals. */
int sla_explain(const struct sla_ticket *t, struct sla_rules r, enum sla_clock_kind k, int64_t now,
	int max, sla_interval_fn *fn, void *arg);

#endif
