/* SPDX-License-Identifier: Apache-2.0
 * The interface of capability ticket. */
#include "ticket.h"
#include "base/clock.h"
#include "core/job.h"
#include "db/db.h"
#include "sql_gen.h"

static enum check_state check_database(struct buf *more)
{
	(void)more;
	return db_health(SQL_POINT).up ? CHECK_HEALTHY : CHECK_DOWN;
}

static const struct check checks[] = { { "tickets", true, check_database }, { 0 } };

/* --- root-cause analyses that are not done, whichever instance looks --- */

static struct {
	int64_t open, overdue;
} rca;

static void on_rca(struct job_run *run, enum db_error error, const PGresult *rows)
{
	if (error == DB_OK) {
		rca.open = db_int(rows, 0, 0);
		rca.overdue = db_int(rows, 0, 1);
	}
	job_end_db(run, error);
}

static void look_at_rca(struct job_run *run)
{
	job_param_int(run, 0, clock_now_us());
	job_query(run, &sql_ticket_rca_state, on_rca);
}

static double read_rca_open(void)
{
	return (double)rca.open;
}

static double read_rca_overdue(void)
{
	return (double)rca.overdue;
}

static const struct job jobs[] = { { "rca_look", 60 * 1000, .at_start = true, .run = look_at_rca },
	{ 0 } };

static void reload(void)
{
	job_wake(&jobs[0]);
}

static const struct metric metrics[] = {
	{ "rca_open", METRIC_GAUGE, "Root-cause analyses that are not done.", read_rca_open },
	{ "rca_overdue", METRIC_GAUGE, "Root-cause analyses that are not done and past due.",
		read_rca_overdue },
	{ 0 },
};

const struct feature ticket_feature = { .name = "ticket",
	.routes = ticket_routes,
	.jobs = jobs,
	.metrics = metrics,
	.checks = checks,
	.reload = reload };
