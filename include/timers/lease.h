/* SPDX-License-Identifier: Apache-2.0
 * Which share of the deadlines this instance acts on. 64 shards by hash of (tenant, subject), each
 * leased for 10 s of database time and renewed every 3 s; an owner stops acting 2 s before its
 * lease ends, on its own monotonic clock. A lease only decides who is first: the fire rows decide
 * what happened, so a wrong belief costs work, never an alert. */
#ifndef SLADESK_TIMERS_LEASE_H
#define SLADESK_TIMERS_LEASE_H

#include "base/base.h"

/* Begin to ask for shards. Call once, after db_init. */
void lease_init(void);
/* Give back what is held: others act on it at once. The process stays until it has been told. */
void lease_release(void);
/* Has lease_release not been confirmed yet? */
bool lease_is_releasing(void);
/* Release everything; the database is closed. */
void lease_free(void);
/* May this instance act on SUBJECT of TENANT now? */
bool lease_holds(int64_t tenant_id, int64_t subject_id);
/* Were shards won since the last call? */
bool lease_changed(void);

struct lease_health {
	int shards, instances;
	int64_t skew_us; /* database clock minus ours, when more than the round trip explains */
};
/* Counts for /metrics. */
struct lease_health lease_health(void);

#endif
