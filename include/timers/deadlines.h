/* SPDX-License-Identifier: Apache-2.0
 * The part of the deadline heap that src/desk sees: it reports what was stored. */
#ifndef SLADESK_TIMERS_DEADLINES_H
#define SLADESK_TIMERS_DEADLINES_H

#include "ticket/ticket_doc.h"

/* The clocks of T were stored as they are now: put their next instants into the heap. */
void deadline_set(const struct ticket *t, struct sla_rules r);
/* Timer rows of TENANT have changed: sweep soon. */
void deadline_recheck_timers(int64_t tenant_id);

#endif
