/* SPDX-License-Identifier: Apache-2.0
 * Periodic work that the desk needs whatever capabilities there are. */
#ifndef SLADESK_DESK_UPKEEP_H
#define SLADESK_DESK_UPKEEP_H

#include "core/job.h"

/* Rows for the job runner. */
extern const struct job desk_jobs[];
/* rebind.c: rebind open tickets to a calendar version that only gained future dates (sla.md 1). */
void rebind_run(struct job_run *run);
/* rebind.c: count the calendars that lack next year's dates. */
void rebind_look_for_gaps(struct job_run *run);
/* How many calendars lacked next year's dates when they were counted last. */
int rebind_missing_calendars(void);

#endif
