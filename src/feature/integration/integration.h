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
/* Prepare to read the stream. */
void stream_init(void);
/* The period of the job below, in milliseconds; 0: no stream is configured. */
int64_t stream_every(void);
/* A job: read messages that have arrived. */
void stream_run(struct job_run *run);
/* Begin nothing new; stream_free follows when no callback is pending. */
void stream_stop(void);
/* Free the messages that were read and not applied. */
void stream_free(void);
/* Counts for /metrics and the checks. */
struct stream_health stream_health(void);
/* The period of the job below, in milliseconds; 0: switched off. */
int64_t reconcile_every(void);
/* A job: compare the tickets with their source system, if that is due. */
void reconcile_run(struct job_run *run);
/* Run no further step. */
void reconcile_stop(void);
/* Endpoint: POST /api/v1/integration/customers/sync. */
struct outcome *customers_sync(struct req *req) MUST_USE;
/* A job: pull the customers from their source system, on one instance. */
int64_t customers_pull_every(void);
/* A job: fetch customers, contracts and contacts from their source system. */
void customers_pull_run(struct job_run *run);
/* Store nothing more of the pulled data. */
void customers_stop(void);
/* Check what the contract of POST /api/v1/integration/tickets/sync cannot say. */
void tickets_sync_check(struct req *req);
/* Endpoint: POST /api/v1/integration/tickets/sync. */
struct outcome *tickets_sync(struct req *req) MUST_USE;
/* Endpoint: GET /api/v1/client/users/{tenant_id}. */
struct outcome *integration_users(struct req *req) MUST_USE;
/* Check what the contract of GET /api/v1/integration/sla/metrics cannot say. */
void integration_sla_check(struct req *req);
/* Endpoint: GET /api/v1/integration/sla/metrics. */
struct outcome *integration_sla(struct req *req) MUST_USE;

/* routes.c; ends with an empty row */
extern const struct route integration_routes[];

extern const struct feature integration_feature;

#endif
