/* SPDX-License-Identifier: Apache-2.0
 * Periodic work that is needed independently of the capabilities. */
#ifndef SLADESK_DESK_UPKEEP_H
#define SLADESK_DESK_UPKEEP_H

#include "core/job.h"

/* Rows for the job runner. */
extern const struct job desk_jobs[];
/* rebind.c: rebind open tickets to a calendar version that only adds future dates (sla.md 1). */
void rebind_run(struct job_run *run);
/* rebind.c: count the calendars without dates for next year. */
void rebind_look_for_gaps(struct job_run *run);
/* versions.c: how often the words that set a priority are read. */
int64_t versions_keywords_every(void);
/* versions.c: read the words that set a priority (priority_keywords). */
void versions_keywords_run(struct job_run *run);
/* The number of calendars without dates for next year at the last count. */
int rebind_missing_calendars(void);

#endif
