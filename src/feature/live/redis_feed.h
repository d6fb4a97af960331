/* SPDX-License-Identifier: Apache-2.0
 * Each tenant's Redis channel and stream: every event once and in order, whichever instance adds
 * it. Does nothing if the settings name no Redis. */
#ifndef SLADESK_FEATURE_REDIS_FEED_H
#define SLADESK_FEATURE_REDIS_FEED_H

#include "core/events.h"
#include "core/job.h"

/* Start publishing to Redis. */
void redis_feed_init(void);
/* Free everything, after the database has been closed. */
void redis_feed_free(void);
/* A consumer of all events: publishes what this instance committed, and watches over the rest. */
void redis_feed_on_event(const struct desk_event *e);
/* A message with SEQ came through the tenant's channel: everything up to SEQ is published. */
void redis_feed_heard(int64_t tenant_id, int64_t seq);
/* A job: read the positions at the start, store them, and find streams that belong to another
 * past. */
int64_t redis_feed_every(void);
/* A job: publish what no instance has published yet. */
void redis_feed_run(struct job_run *run);

#endif
