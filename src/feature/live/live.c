/* SPDX-License-Identifier: Apache-2.0
 * The interface of capability live. */
#include "live.h"
#include "redis_feed.h"

static double read_live_clients(void)
{
	return (double)push_health().clients;
}

static double read_live_frames_total(void)
{
	return (double)push_health().frames;
}

static double read_live_slow_total(void)
{
	return (double)push_health().slow;
}

static const struct metric metrics[] = {
	{ "live_clients", METRIC_GAUGE, "WebSocket clients.", read_live_clients },
	{ "live_frames_total", METRIC_COUNTER, "Frames sent to WebSocket clients.",
		read_live_frames_total },
	{ "live_slow_total", METRIC_COUNTER, "Slow clients that got a snapshot instead of events.",
		read_live_slow_total },
	{ 0 },
};

static const struct consumer consumers[] = { { "feed", NULL, push_on_event },
	{ "redis", NULL, redis_feed_on_event }, { 0 } };
static const struct job jobs[] = {
	{ "feed_rights", .every_ms = 5000, .more_ms = 1, .run = feed_rights_run },
	{ "redis_feed", .every = redis_feed_every, .at_start = true, .run = redis_feed_run },
	{ 0 },
};

static void init(void)
{
	redis_feed_init();
	push_init();
}

const struct feature live_feature = {
	.name = "live",
	.routes = live_routes,
	.init = init,
	.stop = push_drain,
	.free = redis_feed_free,
	.consumers = consumers,
	.jobs = jobs,
	.metrics = metrics,
};
