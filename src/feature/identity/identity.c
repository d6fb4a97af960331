/* SPDX-License-Identifier: Apache-2.0
 * The interface of capability identity. */
#include "identity.h"
#include "db/db.h"
#include "work/work.h"

static enum check_state check_auth(struct buf *more)
{
	(void)more;
	return !db_health(SQL_POINT).up || !work_health(POOL_HASH).ready ? CHECK_DOWN
	       : strcmp(work_state(), "up") != 0                         ? CHECK_DEGRADED
									 : CHECK_HEALTHY;
}

static double read_sessions_cached(void)
{
	return (double)session_cached();
}

static const struct metric metrics[] = {
	{ "sessions_cached", METRIC_GAUGE, "Sessions in the cache.", read_sessions_cached },
	{ 0 },
};

static const struct check checks[] = { { "auth", true, check_auth }, { 0 } };
static const struct job jobs[] = {
	{ "recovery_codes", .every = recovery_every, .at_start = true, .run = recovery_run },
	{ 0 },
};
static const struct consumer consumers[] = { { "sessions", "auth.", account_on_event }, { 0 } };

const struct feature identity_feature = {
	.name = "identity",
	.routes = identity_routes,
	.init = signin_risk_init,
	.free = signin_risk_free,
	.consumers = consumers,
	.jobs = jobs,
	.metrics = metrics,
	.checks = checks,
};
