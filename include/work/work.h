/* SPDX-License-Identifier: Apache-2.0
 * Helper processes over socketpairs, for work that would block the loop: a supervised pool for each
 * kind of work, so that no kind waits behind another. A helper does one job at a time. Queues are
 * bounded, and each job has a time limit. A helper that dies, hangs or sends invalid frames is
 * replaced. */
#ifndef SLADESK_WORK_WORK_H
#define SLADESK_WORK_WORK_H

#include "work/wire.h"

#define HELPERS_MAX 16

struct work_settings {
	const char *dir; /* directory of the helper programs; if a file is given, its directory */
	int count[WORK_POOLS];
};

/* "hash", "parse", "mail" or "file": static text. */
const char *work_pool_name(enum work_pool pool);
/* Start the helpers of all pools. */
void work_init(const struct work_settings *s);
/* Kill the helpers and accept no more jobs. Remaining jobs end with WORK_LOST or WORK_LATE, on a
 * later turn. */
void work_stop(void);
/* The same, then free everything. */
void work_free(void);
/* Add a line to FAULTS for each program that is not there or may not be run. RUN: also start one of
 * each and wait for its first frame, which BLOCKS for up to five seconds each; for --check. */
void work_check(const struct work_settings *s, bool run, struct buf *faults);

struct work_health {
	int helpers, ready, busy, queued;
	uint64_t restarts, jobs, failed, refused;
	double busy_s; /* total time that helpers spent on jobs */
};
/* The state of POOL, for /readyz and /metrics. */
struct work_health work_health(enum work_pool pool);
/* "up"; "degraded": some helpers are not running; "down": a pool has no running helper. */
const char *work_state(void);

enum work_end {
	WORK_DONE,
	WORK_REFUSED, /* the helper replied that the job cannot be done */
	WORK_LOST, /* the helper died or was too slow in the last attempt; it is unknown how far it
		      came */
	WORK_LATE, /* no helper was free in time: the job was not started */
};
/* The answer is valid until the callback returns. */
typedef void work_done(void *arg, enum work_end end, struct str answer);

struct work_job {
	enum work_kind kind;
	const void *p; /* copied, and wiped afterwards */
	size_t n;
	int timeout_ms; /* for one attempt, counted from when a helper has it */
	work_done *on_done;
	void *arg;
	/* whose turn the job takes: owners (an address, a user) take turns, so that each waits
	 * behind its own jobs only; the owners of one customer share its turns; NULL: nobody's */
	const char *owner;
	int64_t customer;
	bool first; /* the owner is known: it goes before strangers, who still get every fourth turn
		     */
};
#define WORK_OWNER_MAX 80
/* Queue a job. ON_DONE runs exactly once, on a later turn. Returns false, and ON_DONE does not run,
 * if the queue is full of jobs whose turn comes earlier, or if none of the pool's helpers can be
 * started now. A job whose turn is far away can later end with WORK_LATE, to make room for
 * another. */
bool work_submit(const struct work_job *job) MUST_USE;

#endif
