/* SPDX-License-Identifier: Apache-2.0
 * Checks the dashboard numbers: every customer's tickets are recounted regularly, a few at a time,
 * and compared with what they were counted as; then the rows of the dashboards are compared with
 * these counts. Wrong numbers are corrected at once and reported by mail. Every instance does this;
 * a customer is checked by one instance at a time. */
#include "base/clock.h"
#include "base/log.h"
#include "config/options.h"
#include "core/hooks.h"
#include "core/cache.h"
#include "dashboard.h"
#include "sql_gen.h"

#define LOOK_MS (600 * 1000)
#define STEP_TICKETS "500"

static struct rollup_check_health health;

struct rollup_check_health rollup_check_health(void)
{
	return health;
}

static void note_finished(const PGresult *rows)
{
	int64_t tenant = db_int(rows, 0, 0), wrong = db_int(rows, 0, 3) + db_int(rows, 0, 4),
		left = db_int(rows, 0, 5);

	health.checked++;
	health.wrong += (uint64_t)wrong;
	if (wrong == 0)
		return;
	log_line(left ? LOG_ERROR : LOG_WARN, NULL,
		"dashboard numbers were wrong tenant=%lld tickets=%lld wrong=%lld rows=%lld "
		"left=%lld",
		(long long)tenant, (long long)db_int(rows, 0, 2), (long long)db_int(rows, 0, 3),
		(long long)db_int(rows, 0, 4), (long long)left);
	cache_outdate(tenant, 0);
	notify_wake();
}

static void on_step(struct job_run *run, enum db_error error, const PGresult *rows)
{
	bool more = error == DB_OK && PQntuples(rows) == 1;

	if (more && db_int(rows, 0, 1))
		note_finished(rows);
	if (more)
		job_end(run, JOB_MORE);
	else
		job_end_db(run, error);
}

int64_t rollup_check_every(void)
{
	int64_t every = options.integration_figures_every_s * 1000;

	return every < LOOK_MS ? every : LOOK_MS;
}

void rollup_check_run(struct job_run *run)
{
	job_param_int(run, 0, clock_now_us());
	job_param_int(run, 1, options.integration_figures_every_s);
	job_param_text(run, 2, STEP_TICKETS);
	job_query(run, &sql_rollup_check, on_step);
}
