/* SPDX-License-Identifier: Apache-2.0
 * The interface of capability dashboard. */
#ifndef SLADESK_FEATURE_DASHBOARD_H
#define SLADESK_FEATURE_DASHBOARD_H

#include "core/feature.h"

/* rollup.c: the counts behind the dashboards, kept up to date by the events. */
struct rollup_health {
	size_t waiting;
	uint64_t applied;
	bool caught_up; /* the events missed before the start have been counted */
};
/* Start following the events. */
void rollup_init(void);
/* Free the tickets waiting to be counted, after the database has been closed. */
void rollup_free(void);
/* A job: find tickets that were touched before the start, one page per run. */
void rollup_walk_run(struct job_run *run);
/* Counts for /metrics and the checks. */
struct rollup_health rollup_health(void);
/* rollup_check.c: the regular recount. */
struct rollup_check_health {
	uint64_t checked, wrong; /* customers; tickets and rows */
};
/* The period of the recount in milliseconds; 0: switched off. */
int64_t rollup_check_every(void);
/* A job: recount some tickets of one customer. */
void rollup_check_run(struct job_run *run);
/* Counts for /metrics. */
struct rollup_check_health rollup_check_health(void);
/* cache_warmup.c: once, after the start. */
int64_t cache_warmup_every(void);
/* A job: after the start, compute the overviews that users are about to open, one per run. */
void cache_warmup_run(struct job_run *run);
/* Release the list of overviews. */
void cache_warmup_free(void);
/* Checks of the two endpoints below: the customer, and the dates. */
void overview_check(struct req *req);
/* The same. */
void compliance_check(struct req *req);
/* Endpoint: GET /api/v1/client/dashboard/overview. */
struct outcome *overview_get(struct req *req) MUST_USE;
/* Endpoint: GET /api/v1/client/sla/compliance. */
struct outcome *compliance_get(struct req *req) MUST_USE;
/* Endpoint: GET /api/v1/client/dashboard/metrics. */
struct outcome *dashboard_metrics(struct req *req) MUST_USE;
/* Is NAME one of the metrics? */
bool dashboard_has_metric(struct str name);
/* Check what the contract of GET /api/v1/client/dashboard/data cannot say. */
void dashboard_data_check(struct req *req);
/* Endpoint: GET /api/v1/client/dashboard/data. */
struct outcome *dashboard_data(struct req *req) MUST_USE;
/* Endpoint: GET /api/v1/client/reports/summary/{tenant_id}. */
struct outcome *report_summary(struct req *req) MUST_USE;
/* Endpoint: GET /api/v1/sla/metrics. */
struct outcome *sla_metrics(struct req *req) MUST_USE;

/* routes.c; ends with an empty row */
extern const struct route dashboard_routes[];

/* The ticket of this event must be counted again. */
void rollup_on_event(const struct desk_event *e);

extern const struct job dashboard_jobs[]; /* the first is rollup_walk_run */
extern const struct feature dashboard_feature;

#endif
