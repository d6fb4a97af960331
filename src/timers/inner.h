/* SPDX-License-Identifier: Apache-2.0
 * What the three files of the engine share: engine.c (the heap, the turn, the sweep), fire.c (a
 * batch of clocks), timer.c (a timer row). */
#ifndef SLADESK_TIMERS_INNER_H
#define SLADESK_TIMERS_INNER_H

#include "base/heap.h"
#include "timers/engine.h"

#define BATCH_MAX 64

struct due {
	int64_t tenant_id, ticket_id, at_us;
};

extern struct engine_state {
	struct engine_health health;
	int batches;
	int64_t retry_after_us; /* monotonic; 0: none */
	bool running;
} engine;

/* Load, settle and store the clocks of N tickets (at most BATCH_MAX) that are due; what cannot be
 * done comes back through deadline_recheck. */
void fire_batch(const struct due *due, size_t n);
/* Do what timer row ID says. */
void timer_start(int64_t tenant_id, int64_t id);

/* Which clock of the ticket is due is found by loading it, at AT or earlier. */
void deadline_recheck(int64_t tenant_id, int64_t ticket_id, int64_t at_us);
void deadline_recheck_timer(int64_t tenant_id, int64_t id, int64_t at_us);
/* Sleep until the next is due. */
void engine_arm(void);

#endif
