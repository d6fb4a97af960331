/* SPDX-License-Identifier: Apache-2.0
 * The heap of deadlines as src/desk sees it: what was stored is told to the heap. */
#ifndef SLADESK_TIMERS_DEADLINES_H
#define SLADESK_TIMERS_DEADLINES_H

#include "ticket/ticket_doc.h"

/* The clocks of T were stored as they are: the heap learns their next instants. */
void deadline_set(const struct ticket *t, struct sla_rules r);
/* Timer rows of TENANT changed: sweep soon. */
void deadline_recheck_timers(int64_t tenant_id);

#endif
