/* SPDX-License-Identifier: Apache-2.0
 * The interface of capability policy. */
#include "policy.h"
#include "base/clock.h"

static const struct job jobs[] = {
	{ "sla_verify", .every = sla_verify_every, .more_ms = 20, .claim = true, .at_start = true,
		.run = sla_verify_run },
	{ "sla_verify_look", 60 * 1000, .at_start = true, .run = sla_verify_look },
	{ 0 },
};

/* The hour may have been changed, or the clock have moved to the next night. */
static void reload(void)
{
	job_wake(&jobs[0]);
	job_wake(&jobs[1]);
}

static double read_verified_total(void)
{
	return (double)sla_verify_health().tickets;
}

static double read_differences(void)
{
	return (double)sla_verify_health().differing;
}

static double read_age(void)
{
	int64_t at = sla_verify_health().checked_at;

	return at ? (double)(clock_now_us() - at) / US_PER_S : 0;
}

static double read_longest(void)
{
	return (double)sla_verify_health().longest_us / US_PER_S;
}

static const struct metric metrics[] = {
	{ "sla_verified_total", METRIC_COUNTER,
		"Tickets whose stored clocks were compared with their history.",
		read_verified_total },
	{ "sla_differences", METRIC_GAUGE,
		"Tickets whose stored clocks are not what their history gives.", read_differences },
	{ "sla_verified_age_seconds", METRIC_GAUGE,
		"Time since every customer's clocks had been checked; 0 before the first check.",
		read_age },
	{ "sla_verify_turn_seconds", METRIC_GAUGE,
		"The longest turn of the loop that the check of the clocks took.", read_longest },
	{ 0 },
};

const struct feature policy_feature = {
	.name = "policy",
	.routes = policy_routes,
	.jobs = jobs,
	.metrics = metrics,
	.reload = reload,
	.free = sla_verify_free,
};
