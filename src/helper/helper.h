/* SPDX-License-Identifier: Apache-2.0
 * What the helper programs share: they take jobs from descriptor 0, one at a time, and answer
 * there. A helper has no environment, a memory limit and a seccomp filter. */
#ifndef SLADESK_HELPER_HELPER_H
#define SLADESK_HELPER_HELPER_H

#include "work/wire.h"

/* Do the job of KIND and answer it exactly once, with helper_answer or helper_fail. P is
 * NUL-terminated, and wiped afterwards. */
typedef void helper_fn(enum work_kind kind, const char *p, size_t n);

struct helper_rules {
	enum work_pool pool; /* for the test kinds */
	helper_fn *fn;
	size_t memory_max; /* maximum address space in bytes */
	int nice;
	bool outside; /* may use the network and read files */
	bool files;   /* may write files */
	/* Called when no job has come for IDLE_MS; NULL: never. A job that arrives during the call
	 * waits. */
	int idle_ms;
	void (*on_idle)(void);
};
/* Confine the process, report that it is ready, and do jobs until the daemon closes the socket.
 * Libraries must have read all files that they need. Returns the exit status. */
int helper_main(const struct helper_rules *rules);
void helper_answer(const void *p, size_t n);
void helper_fail(void);

#endif
