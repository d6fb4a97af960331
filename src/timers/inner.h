/* SPDX-License-Identifier: Apache-2.0
 * What the files of the engine share: engine.c (the heap, the turn), sweep.c (the sweep and the
 * load), fire.c (a batch of clocks), timer.c (a timer row), parked.c (what cannot be done now). */
#ifndef SLADESK_TIMERS_INNER_H
#define SLADESK_TIMERS_INNER_H

#include "base/heap.h"
#include "timers/engine.h"

#define BATCH_MAX 64

struct due {
	int64_t tenant_id, ticket_id, at_us;
};

/* Heap keys: id << 3 | what; what 0 = a timer row, 1 + clock = a ticket's clock, 7 = any of its
 * clocks. */
#define KEY(id, what) ((uint64_t)(id) << 3 | (uint64_t)(what))
#define ANY_CLOCK 7

extern struct engine_state {
	struct engine_health health;
	struct heap *heap, *held_elsewhere;
	int batches;            /* under way, but for those of parked tickets */
	int retries;            /* batches of parked tickets under way */
	int64_t retry_after_us; /* monotonic; 0: none */
	int64_t horizon_us;
	bool running;
} engine;

/* Load, settle and store the clocks of N tickets (at most BATCH_MAX) that are due; what cannot be
 * done comes back through deadline_recheck or deadline_park. PARKED: they have been parked before.
 */
void fire_batch(const struct due *due, size_t n, bool parked);
/* Do what timer row ID says. */
void timer_start(int64_t tenant_id, int64_t id);

/* Which clock of the ticket is due is found by loading it, at AT or earlier. */
void deadline_recheck(int64_t tenant_id, int64_t ticket_id, int64_t at_us);
void deadline_recheck_timer(int64_t tenant_id, int64_t id, int64_t at_us);
/* Sleep until the next is due. */
void engine_arm(void);

/* sweep.c */
void sweep_init(void);
void sweep_free(void);

/* parked.c: why a deadline that is due waits by itself. */
enum park_why {
	PARK_BUSY,           /* a lock is held, or its statement takes too long */
	PARK_REFUSED,        /* the database refuses what is to be stored, or to load it */
	PARK_UNREADABLE,     /* its row is not what this program can read */
	PARK_NOT_UNDERSTOOD, /* its policy or calendar, or that it is due at all */
	PARK_FAILED,         /* a timer's command */
	PARK_WHYS
};
/* Park a ticket that fell due at DUE_US, or a timer that has failed TRIES times: it comes back by
 * itself, later each time. */
void deadline_park(int64_t tenant_id, int64_t ticket_id, int64_t due_us, enum park_why why);
void deadline_park_timer(int64_t tenant_id, int64_t id, int64_t due_us, unsigned tries);
/* There is nothing to do for it any more: no longer parked. */
void deadline_forget(int64_t ticket_id);
void deadline_forget_timer(int64_t id);

/* The table itself. KEY as in the heap; TRIES 0: one more than before. Returns when to try again.
 */
int64_t park_set(
	uint64_t key, int64_t tenant_id, int64_t due_us, enum park_why why, unsigned tries);
bool park_clear(uint64_t key);
bool park_find(uint64_t key, int64_t *out_due_us);
size_t park_count(void);
/* When the first of them fell due; INT64_MAX: none is parked. */
int64_t park_oldest_us(void);
/* How long the TRIES-th wait is, before the jitter. */
int64_t park_wait_us(enum park_why why, unsigned tries);
void park_free(void);

#endif
