/* SPDX-License-Identifier: Apache-2.0
 * Helper processes over socketpairs, for what would hold the loop up: a supervised pool for each
 * kind of work, so that no kind waits behind another. One job a helper at a time; a bounded queue;
 * a time limit for each job. A helper that dies, hangs or sends what it should not is replaced. */
#ifndef SLADESK_WORK_WORK_H
#define SLADESK_WORK_WORK_H

#include "work/wire.h"

#define HELPERS_MAX 16

struct work_settings {
	const char *dir; /* folder of the helper programs; a file's folder is taken */
	int count[WORK_POOLS];
};

/* "hash", "parse", "mail": static text. */
const char *work_pool_name(enum work_pool pool);
/* Start the helpers of all pools. */
void work_init(const struct work_settings *s);
/* Kill them. Jobs that are left end as WORK_LOST, on a later turn. */
void work_free(void);
/* Can each program be started? Starts one of each and waits for its first frame, so it BLOCKS for
 * up to five seconds: for --check. False with the reason, which the caller frees. */
bool work_check(const struct work_settings *s, char **out_why) MUST_USE;

struct work_health {
	int helpers, ready, busy, queued;
	uint64_t restarts, jobs, failed, refused;
	double busy_s; /* time that helpers spent on jobs */
};
/* The state of POOL, for /readyz and /metrics. */
struct work_health work_health(enum work_pool pool);
/* "up"; "degraded": some helper does not run; "down": of a pool none does. */
const char *work_state(void);

enum work_end {
	WORK_DONE,
	WORK_REFUSED, /* the helper answered that it cannot be done */
	WORK_LOST,    /* the helper died or was too slow, on the last try: nobody knows how far it
			 came */
	WORK_LATE,    /* no helper was free in time: the job was not begun */
};
/* The answer dies when the callback returns. */
typedef void work_done(void *arg, enum work_end end, struct str answer);

struct work_job {
	enum work_kind kind;
	const void *p; /* copied, and wiped after */
	size_t n;
	int timeout_ms; /* for a try, from the instant a helper has it */
	work_done *on_done;
	void *arg;
};
/* Queue a job. ON_DONE runs exactly once, on a later turn. False, and no callback: the queue is
 * full, or none of the pool's helpers can be started now. */
bool work_submit(const struct work_job *job) MUST_USE;

#endif
