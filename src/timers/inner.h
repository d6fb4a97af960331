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
	int64_t retry_after_us; /* monotonic; 0: none */
	int64_t horizon_us;
	bool running;
} engine;

/* fire.c: load, settle and store the clocks of this ticket, in a batch with others. A ticket that
 * fails comes back through deadline_recheck or deadline_park. */
void fire_add(const struct due *due);
/* The same for a ticket that has been parked before; false if enough of them wait already. */
bool fire_add_parked(const struct due *due);
/* The number of tickets that were added and are not in a batch yet. */
size_t fire_gathered(void);
/* Start with nothing due. */
void fire_init(void);
/* Release it; the database is closed. */
void fire_free(void);
/* Run the command of timer row ID. */
void timer_start(int64_t tenant_id, int64_t id);

/* A clock of the ticket is due at AT or earlier; loading the ticket shows which. */
void deadline_recheck(int64_t tenant_id, int64_t ticket_id, int64_t at_us);
void deadline_recheck_timer(int64_t tenant_id, int64_t id, int64_t at_us);
/* Set the timer for the next deadline. */
void engine_arm(void);
/* A batch has ended: gather the next one, and let waiting requests continue. */
void engine_batch_ended(void);

/* sweep.c */
void sweep_init(void);
void sweep_free(void);

/* parked.c: why a due deadline is parked. */
enum park_why {
	PARK_BUSY,           /* a lock is held, or its statement takes too long */
	PARK_REFUSED,        /* the database refuses to load it, or to store the result */
	PARK_UNREADABLE,     /* this program cannot read its row */
	PARK_NOT_UNDERSTOOD, /* this program does not understand its policy or calendar, or why it
				is due */
	PARK_FAILED,         /* the command of a timer fails */
	PARK_WHYS
};
/* Park a ticket that fell due at DUE_US, or a timer that has failed TRIES times. It is retried
 * automatically, later each time. */
void deadline_park(int64_t tenant_id, int64_t ticket_id, int64_t due_us, enum park_why why);
void deadline_park_timer(int64_t tenant_id, int64_t id, int64_t due_us, unsigned tries);
/* Remove it from the parked deadlines, because nothing is left to do for it. */
void deadline_forget(int64_t ticket_id);
void deadline_forget_timer(int64_t id);

/* The table of parked deadlines. KEY as in the heap; TRIES 0: one more than before. Returns when to
 * retry. */
int64_t park_set(
	uint64_t key, int64_t tenant_id, int64_t due_us, enum park_why why, unsigned tries);
bool park_clear(uint64_t key);
bool park_find(uint64_t key, int64_t *out_due_us);
size_t park_count(void);
/* When the first of them fell due; INT64_MAX if none is parked. */
int64_t park_oldest_us(void);
/* The delay before attempt TRIES, without the jitter. */
int64_t park_wait_us(enum park_why why, unsigned tries);
void park_free(void);

#endif
