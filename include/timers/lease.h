/* SPDX-License-Identifier: Apache-2.0
 * The share of the deadlines that this instance handles. There are 64 shards by hash of (tenant,
 * subject). Each is leased for 10 s of database time and renewed every 3 s; the owner stops acting
 * 2 s before its lease ends, by its own monotonic clock. A lease only decides who acts first. The
 * fire rows decide what happened, so a wrong belief costs work but never an alert. */
#ifndef SLADESK_TIMERS_LEASE_H
#define SLADESK_TIMERS_LEASE_H

#include "core/job.h"

/* Choose this instance's name. lease_jobs then acquire shards and renew them. */
void lease_init(void);
extern const struct job lease_jobs[];
/* Release all shards, so that others act on them at once. The process must stay until the database
 * has confirmed it. */
void lease_release(void);
/* Is a lease_release not confirmed yet? */
bool lease_is_releasing(void);
/* May this instance act on SUBJECT of TENANT now? */
bool lease_holds(int64_t tenant_id, int64_t subject_id);
/* Were shards acquired since the last call? */
bool lease_changed(void);

struct lease_health {
	int shards, instances;
	int64_t skew_us; /* database clock minus ours, beyond what the round trip explains */
};
/* Counts for /metrics. */
struct lease_health lease_health(void);

#endif
