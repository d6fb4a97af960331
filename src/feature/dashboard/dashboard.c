/* SPDX-License-Identifier: Apache-2.0
 * The interface of capability dashboard. */
#include "dashboard.h"
#include "core/cache.h"
#include "core/hooks.h"
#include "db/db.h"

static void dashboard_init(void)
{
	hooks.is_widget_metric = dashboard_has_metric;
	rollup_init();
}

static void dashboard_free(void)
{
	cache_warmup_free();
	rollup_free();
}

static double read_rollup_waiting(void)
{
	return (double)rollup_health().waiting;
}

static double read_rollup_applied_total(void)
{
	return (double)rollup_health().applied;
}

static double read_figures_checked_total(void)
{
	return (double)rollup_check_health().checked;
}

static double read_figures_wrong_total(void)
{
	return (double)rollup_check_health().wrong;
}

static const struct metric metrics[] = {
	{ "rollup_waiting", METRIC_GAUGE, "Events whose tickets are not counted yet.",
		read_rollup_waiting },
	{ "rollup_applied_total", METRIC_COUNTER, "Events whose tickets were counted.",
		read_rollup_applied_total },
	{ "figures_checked_total", METRIC_COUNTER,
		"Customers whose dashboard numbers were recounted.", read_figures_checked_total },
	{ "figures_wrong_total", METRIC_COUNTER, "Tickets and rollup rows that were counted wrong.",
		read_figures_wrong_total },
	{ 0 },
};

static enum check_state check_rollup(struct buf *more)
{
	size_t waiting = rollup_health().waiting;

	buf_addf(more, ",\"events_waiting\":%zu", waiting);
	return !db_health(SQL_POINT).up ? CHECK_DOWN
	       : waiting > 10000        ? CHECK_DEGRADED
					: CHECK_HEALTHY;
}

static const struct consumer consumers[] = { { "rollup", NULL, rollup_on_event }, { 0 } };
static const struct check checks[] = { { "dashboard", false, check_rollup }, { 0 } };
const struct job dashboard_jobs[] = {
	{ "rollup_walk", 60000, .at_start = true, .run = rollup_walk_run },
	{ "rollup_check", .every = rollup_check_every, .run = rollup_check_run },
	{ "cache_warmup", .every = cache_warmup_every, .more_ms = 20, .at_start = true,
		.run = cache_warmup_run },
	{ 0 },
};

const struct feature dashboard_feature = {
	.name = "dashboard",
	.routes = dashboard_routes,
	.init = dashboard_init,
	.free = dashboard_free,
	.consumers = consumers,
	.jobs = dashboard_jobs,
	.metrics = metrics,
	.checks = checks,
};
