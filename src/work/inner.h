/* SPDX-License-Identifier: Apache-2.0
 * What work.c (queues) and helper.c (one process) share. */
#ifndef SLADESK_WORK_INNER_H
#define SLADESK_WORK_INNER_H

#include "base/magic.h"
#include "base/list.h"
#include "work/work.h"

#include <sys/types.h>

struct event;
struct loop_timer;
struct pool;

enum work_lane { LANE_FIRST, LANE_REST, LANES };

struct lane {
	struct list jobs; /* in the order of their turns */
	int queued;
	int64_t turn; /* of the last job that was given to a helper */
};

struct job {
	uint32_t magic;
	struct list node; /* in its lane, while it waits */
	enum work_lane lane;
	int64_t turn, customer;
	bool is_first; /* no other job of its owner waited when it came */
	char owner[WORK_OWNER_MAX];
	struct wire_head head;
	char *bytes;
	int tries;
	int64_t wait_until_us, timeout_us;
	work_done *on_done;
	void *arg;
	enum work_end end;
	struct buf answer;
};
MAGIC(job, 0xc0297ee9);

enum helper_state {
	HELPER_DOWN,     /* no process; the timer starts one */
	HELPER_STARTING, /* a process that has not sent WORK_READY yet; the timer ends it */
	HELPER_IDLE,
	HELPER_BUSY, /* has a job; the timer ends both */
};

struct helper {
	uint32_t magic;
	struct pool *pool;
	enum helper_state state;
	pid_t pid;
	int fd;
	struct event *readable, *writable;
	struct loop_timer *timer;
	struct job *job;
	struct buf in;
	size_t out_at;    /* bytes of the job's frame sent so far */
	int64_t began_us; /* the job */
	int failures;     /* unsuccessful starts in a row */
};
MAGIC(helper, 0x3021cf15);

struct pool {
	uint32_t magic;
	const char *name;
	char *program;
	int count, tries, queue_max;
	int64_t wait_us;
	struct helper helpers[HELPERS_MAX];
	struct lane lane[LANES];
	int ahead; /* jobs of the first lane since the last one of the other lane */
	struct loop_timer *late;
	bool broken; /* no helper is running and none can be started */
	struct work_health health;
};
MAGIC(pool, 0xa598021f);

/* --- helper.c: one process --- */
/* Start H's process. Reports every change to POOL. */
void helper_init(struct helper *h, struct pool *pool);
/* Send J to an idle helper. */
void helper_give(struct helper *h, struct job *j);
/* Kill the process; its job is returned by pool_lost. No new process is started. */
void helper_stop(struct helper *h);
/* Start PROGRAM with one end of a socketpair as its descriptor 0. Returns 0 or an errno. */
int helper_spawn(const char *program, pid_t *out_pid, int *out_fd) MUST_USE;
/* Collect the processes that have ended. */
void helper_reap(int signo);

/* --- work.c: reports of a helper to its pool --- */
void pool_idle(struct pool *p);
void pool_done(struct pool *p, struct job *j, enum work_end end);
void pool_lost(struct pool *p, struct job *j);
void pool_start_failed(struct pool *p, const char *why);

#endif
