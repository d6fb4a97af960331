/* SPDX-License-Identifier: Apache-2.0
 * The numbers that dashboards, compliance and other systems are told: read from rollups, written as
 * doc/api/metrics.md says. */
#ifndef SLADESK_FEATURE_FIGURES_H
#define SLADESK_FEATURE_FIGURES_H

#include "core/request.h"

#define FIGURES_DAYS_MAX 366

/* In the order of the columns of rollup/days. */
struct figures {
	int64_t opened, pending, resolved, overdue, response_n, response_s, resolution_n,
		resolution_s, response_decided, response_met, resolution_decided, resolution_met,
		decided, met, counted, met_counted, ratings, scores; /* scores: in hundredths */
};

/* Who reads, and what of: carried in an answer_plan's arg. */
struct figures_reader {
	int days;
	uint32_t metrics,
		asked; /* bit per metric to compute, and asked for, where one may choose */
	bool zh, sla, satisfaction, tickets, staff;
	int64_t tenant_id;
	char group[16];
};

/* Add row I of rollup/days to S. */
void figures_add_row(struct figures *s, const PGresult *rows, int i);
/* The rows of rollup/days, of DAYS days and as many before, added up; false: they are not that
 * many.
 */
bool figures_sum(
	const PGresult *rows, int days, struct figures *before, struct figures *now) MUST_USE;
/* Append "period":{…}: which days the later half is. */
void figures_add_period(struct buf *b, const PGresult *rows, int days);
/* Append ,"NAME":12.3 (percent), or null where there is nothing to count. */
void figures_add_percent(struct buf *b, const char *name, int64_t part, int64_t all);
/* Append ,"NAME":"25 min","NAME_seconds":1500: the mean of N. */
void figures_add_duration(struct buf *b, const char *name, int64_t seconds, int64_t n, bool zh);
/* Append the summary object. */
void figures_add_summary(struct buf *b, const struct figures *s, const struct figures_reader *who);

/* Append ,"alerts":[…] of rollup/alerts. */
void figures_add_alerts(struct buf *b, const PGresult *rows, bool zh);

/* "30d" of the query; 30 when it says nothing. Notes what is wrong. */
void figures_read_period(struct req *req, int *days);
/* Whose numbers: a customer's own; staff and the provider's services name the tenant. */
int64_t figures_read_tenant(struct req *req);
void figures_read_reader(struct req *req, struct figures_reader *out);

#endif
