/* SPDX-License-Identifier: Apache-2.0
 * The timer engine: the min-heap of all running clocks and timer rows, the fires, the sweep. */
#ifndef SLADESK_TIMERS_ENGINE_H
#define SLADESK_TIMERS_ENGINE_H

#include "db/db.h"
#include "timers/deadlines.h"

/* Load the heap and begin to fire. */
void engine_init(int64_t horizon_s);
/* Free the heaps, after the database has been closed. */
void engine_free(void);

struct engine_health {
	bool loaded;
	size_t entries, bytes;
	uint64_t fired, swept, failed, timers_failed;
	size_t parked;  /* deadlines that are due but parked */
	int64_t lag_us; /* how long the oldest unfired deadline has been due */
	int64_t load_ms;
};
/* Counts for /readyz and /metrics. */
struct engine_health engine_health(void);

#endif
