/* SPDX-License-Identifier: Apache-2.0
 * The numbers for dashboards, compliance and other systems: read from rollups, written as
 * doc/api/metrics.md says. */
#ifndef SLADESK_FEATURE_DASHBOARD_KPI_H
#define SLADESK_FEATURE_DASHBOARD_KPI_H

#include "core/request.h"
#include "ticket/names.h"

#define KPI_DAYS_MAX 366

/* In the order of the columns of rollup/days. */
struct kpi {
	int64_t opened, pending, resolved, overdue, response_n, response_s, resolution_n,
		resolution_s, response_decided, response_met, resolution_decided, resolution_met,
		decided, met, counted, met_counted, ratings, scores; /* scores are in hundredths */
};

/* The reader and the requested data: the arg of a cached_query, so it has no padding. */
struct kpi_reader {
	uint32_t magic;
	int days;
	int64_t tenant_id;
	uint32_t metrics; /* one bit per metric to compute, where a request can choose */
	bool zh, sla, satisfaction, tickets, staff;
	bool dated; /* the days were named by their dates */
	char group[22];
};
MAGIC(kpi_reader, 0xf1ad169b);
_Static_assert(sizeof(struct kpi_reader) == 4 + 4 + 8 + 4 + 6 + 22, "no padding");

/* Add row I of rollup/days to S. */
void kpi_add_row(struct kpi *s, const PGresult *rows, int i);
/* Add up the rows of rollup/days for DAYS days and for the DAYS days before. Returns false if the
 * number of rows is different. */
bool kpi_sum(const PGresult *rows, int days, struct kpi *before, struct kpi *now) MUST_USE;
/* Append "period":{…}: the days of the second half. */
void kpi_add_period(struct buf *b, const PGresult *rows, int days);
/* Append ,"NAME":"25 min","NAME_seconds":1500 for the mean of N values. */
void kpi_add_duration(struct buf *b, const char *name, int64_t seconds, int64_t n, bool zh);
/* Append a rate with its counts, or nulls for a reader who may not see it. */
void kpi_add_rate(struct buf *b, const char *name, int64_t met, int64_t decided,
	const struct kpi_reader *who);
/* Append the summary object. */
void kpi_add_summary(struct buf *b, const struct kpi *s, const struct kpi_reader *who);

/* Append ,"alerts":[…],"alerts_total":N from rollup/alerts. */
void kpi_add_alerts(struct buf *b, const PGresult *rows, bool zh);

/* The number of days in a PERIOD such as "30d". */
int kpi_days(const char *period);
/* A check for routes whose contract begins with dashboard/reader: staff and the provider's services
 * must name the tenant whose numbers they want. */
void kpi_check(struct req *req);
/* Note what is wrong with the dates FROM and TO beside PERIOD. */
void kpi_check_dates(struct req *req, const char *from, const char *to, const char *period);
/* The days from FROM to TO into OUT. Returns the last one, or NULL if none are named: then the days
 * end today. */
const char *kpi_read_dates(const char *from, const char *to, struct kpi_reader *out);
/* Append ,"NAME_text": the word that stands for a rate of nothing; null if there is a rate. */
void kpi_add_no_rate(struct buf *b, const char *name, int64_t decided, bool zh);
/* The tenant whose numbers such a request wants: the one that it names, or the caller's own. */
int64_t kpi_tenant(struct req *req);
/* Fill in what the caller may see and the language; the period and the group are not changed. */
void kpi_read_reader(struct req *req, struct kpi_reader *out);

#endif
