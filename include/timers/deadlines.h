/* SPDX-License-Identifier: Apache-2.0
 * The part of the deadline heap that src/desk sees: it reports what was stored. */
#ifndef SLADESK_TIMERS_DEADLINES_H
#define SLADESK_TIMERS_DEADLINES_H

#include "ticket/ticket_doc.h"

/* Put the next instants of T's clocks into the heap, because T was stored as it is now. */
void deadline_set(const struct ticket *t, struct sla_rules r);
/* Sweep soon, because timer rows of TENANT_ID have changed. */
void deadline_recheck_timers(int64_t tenant_id);

#endif
