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
void rollup_init(void);
void rollup_free(void);
struct rollup_health rollup_health(void);
/* rollup_check.c: the regular recount. */
struct rollup_check_health {
	uint64_t checked, wrong; /* customers; tickets and rows */
};
int64_t rollup_check_every(void);
void rollup_check_run(struct job_run *run);
struct rollup_check_health rollup_check_health(void);
/* cache_warmup.c: once, after the start. */
int64_t cache_warmup_every(void);
void cache_warmup_run(struct job_run *run);
void cache_warmup_free(void);
struct outcome *overview_get(struct req *req) MUST_USE;
struct outcome *compliance_get(struct req *req) MUST_USE;
struct outcome *dashboard_metrics(struct req *req) MUST_USE;
void dashboard_data_check(struct req *req);
struct outcome *dashboard_data(struct req *req) MUST_USE;
struct outcome *report_summary(struct req *req) MUST_USE;
struct outcome *sla_metrics(struct req *req) MUST_USE;

/* routes.c; ends with an empty row */
extern const struct route dashboard_routes[];

/* The ticket of this event must be counted again. */
void rollup_on_event(const struct desk_event *e);

extern const struct feature dashboard_feature;

#endif
