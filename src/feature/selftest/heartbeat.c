/* SPDX-License-Identifier: Apache-2.0
 * The heartbeat (sla.md 5): a watchdog outside is called at intervals, and only while deadlines
 * fire in time, so that its silence tells of a desk that runs but does not keep its promises. The
 * run is claimed in the database: whoever calls can reach it. */
#include "selftest.h"
#include "base/clock.h"
#include "base/magic.h"
#include "base/outage.h"
#include "config/options.h"
#include "fetch/fetch.h"
#include "timers/engine.h"

#define LATE_US (5 * US_PER_S)
#define TIMEOUT_MS 10000
#define PART "the heartbeat's address"

static struct {
	uint64_t sent, withheld;
} beats;

static void on_answer(void *arg, const struct fetch_result *r)
{
	struct job_run *run = magic_cast(job_run, arg);

	if (r->ok) {
		beats.sent++;
		outage_back(PART);
	} else {
		outage_note(LOG_WARN, PART, "%s", r->error);
	}
	job_end(run, JOB_DONE); /* the next one is soon enough: what counts is that they come */
}

static void beat(struct job_run *run)
{
	struct engine_health h = engine_health();

	if (!h.loaded || h.lag_us >= LATE_US) {
		beats.withheld++;
		job_end(run, JOB_DONE);
		return;
	}
	fetch_http(&(struct fetch_http){ .url = options.engine_heartbeat_url,
			   .allow_private = true, /* the operator's own setting */
			   .timeout_ms = TIMEOUT_MS,
			   .get = true },
		on_answer, run);
}

static int64_t every(void)
{
	return options.engine_heartbeat_url[0] ? options.engine_heartbeat_s * 1000 : 0;
}

static double sent(void)
{
	return (double)beats.sent;
}

static double withheld(void)
{
	return (double)beats.withheld;
}

const struct job heartbeat_jobs[] = {
	{ "heartbeat", .every = every, .claim = true, .run = beat },
	{ 0 },
};
const struct metric heartbeat_metrics[] = {
	{ "heartbeats_total", METRIC_COUNTER, "Heartbeats that engine.heartbeat_url has answered.",
		sent },
	{ "heartbeats_withheld_total", METRIC_COUNTER,
		"Heartbeats that were not sent, because a deadline was more than five seconds "
		"late.",
		withheld },
	{ 0 },
};
