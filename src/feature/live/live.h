/* SPDX-License-Identifier: Apache-2.0
 * The interface of capability live. */
#ifndef SLADESK_FEATURE_LIVE_H
#define SLADESK_FEATURE_LIVE_H

#include "core/feature.h"
#include "core/job.h"

/* push.c: the live feed over WebSocket and Redis. */
struct push_health {
	size_t clients, unauthenticated;
	uint64_t frames, snapshots, slow;
};
/* Start the feed. */
void push_init(void);
/* Tell every client to reconnect, with the last seq, and close (1012). */
void push_drain(void);
/* Counts for /metrics. */
struct push_health push_health(void);
extern const struct ws_handler push_handler;
/* Endpoint: GET /api/v1/live. */
struct outcome *push_open(struct req *req) MUST_USE;

/* A job: feed_rights.c reads the sessions of the clients again. */
void feed_rights_run(struct job_run *run);

/* routes.c; ends with an empty row */
extern const struct route live_routes[];

/* To the feeds and to Redis. */
void push_on_event(const struct desk_event *e);

extern const struct feature live_feature;

#endif
