/* SPDX-License-Identifier: Apache-2.0
 * Helper processes over socketpairs: a supervised pool for what would hold the loop up. One job a
 * helper at a time; a bounded queue; a deadline a job; a helper that dies, hangs or babbles is
 * replaced and its job tried again, three times in all. */
#ifndef SLADESK_WORK_WORK_H
#define SLADESK_WORK_WORK_H

#include "work/wire.h"

/* Start COUNT helpers running PATH. */
void work_init(const char *path, int count);
void work_free(void);
struct work_health {
	int helpers, ready, queued;
	uint64_t restarts, jobs;
};
struct work_health work_health(void);

/* OK is false when the job failed three times, timed out or was not taken; P is valid during the
 * call. */
typedef void work_done(void *arg, bool ok, const char *p, size_t n);
/* Queue a job; false (and no callback) when 64 wait already. ON_DONE runs once, on a later turn.
 * The bytes are copied and wiped after. */
bool work_submit(enum work_kind kind, const void *p, size_t n, int timeout_ms, work_done *on_done,
	void *arg) MUST_USE;

#endif
