/* SPDX-License-Identifier: Apache-2.0
 * The timer engine: the min-heap over every running clock and timer row, the fires, the sweep. */
#ifndef SLADESK_TIMERS_ENGINE_H
#define SLADESK_TIMERS_ENGINE_H

#include "db/db.h"
#include "timers/deadlines.h"

/* Load the heap and begin to fire. */
void engine_init(int64_t horizon_s);
/* Release the heaps; the database is closed. */
void engine_free(void);

struct engine_health {
	bool loaded;
	size_t entries, bytes;
	uint64_t fired, swept, failed, timers_failed;
	size_t parked;  /* deadlines that are due and wait by themselves */
	int64_t lag_us; /* how long the oldest due and unfired has been so */
	int64_t load_ms;
};
/* Counts for /readyz and /metrics. */
struct engine_health engine_health(void);

#endif
