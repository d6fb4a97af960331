/* SPDX-License-Identifier: Apache-2.0
 * The interface of capability integration. */
#ifndef SLADESK_FEATURE_INTEGRATION_H
#define SLADESK_FEATURE_INTEGRATION_H

#include "core/feature.h"

/* stream.c: messages from source systems in a Redis stream. */
struct stream_health {
	size_t waiting;
	uint64_t applied, dead; /* dead: the number of dead letters now */
};
void stream_init(void);
/* Begin nothing new; stream_free follows when no callback is pending. */
void stream_stop(void);
void stream_free(void);
struct stream_health stream_health(void);
void reconcile_init(void);
void reconcile_free(void);
struct outcome *customers_sync(struct req *req) MUST_USE;
/* A job: pull the customers from their source system, on one instance. */
int64_t customers_pull_every(void);
void customers_pull_run(struct job_run *run);
/* Store nothing more of the pulled data. */
void customers_stop(void);
void tickets_sync_check(struct req *req);
struct outcome *tickets_sync(struct req *req) MUST_USE;
struct outcome *integration_users(struct req *req) MUST_USE;
void integration_sla_check(struct req *req);
struct outcome *integration_sla(struct req *req) MUST_USE;

/* routes.c; ends with an empty row */
extern const struct route integration_routes[];

extern const struct feature integration_feature;

#endif
