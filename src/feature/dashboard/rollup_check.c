/* SPDX-License-Identifier: Apache-2.0
 * Are the figures true? Every customer's tickets are recounted now and then, a few at a time,
 * against what they were counted as, and the rows of the dashboards against those. What is wrong is
 * counted anew at once and told by mail. Every instance does it; a customer is one's at a time. */
#include "base/clock.h"
#include "base/log.h"
#include "config/options.h"
#include "core/hooks.h"
#include "core/cache.h"
#include "dashboard.h"
#include "loop/loop.h"
#include "sql_gen.h"

#include <stdio.h>

#define LOOK_US (600 * US_PER_S)
#define STEP_US 100000 /* between two steps: others' work comes first */
#define STEP_TICKETS "500"

static struct db_call call;
static char now_text[24], every_text[24];
static struct loop_timer *next;
static bool asking, running;
static struct quality_health health;

struct quality_health quality_health(void)
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
		"figures were wrong tenant=%lld tickets=%lld wrong=%lld rows=%lld left=%lld",
		(long long)tenant, (long long)db_int(rows, 0, 2), (long long)db_int(rows, 0, 3),
		(long long)db_int(rows, 0, 4), (long long)left);
	cache_outdate(tenant, 0);
	notify_wake();
}

static void on_step(struct db_call *c, enum db_error error, const PGresult *rows)
{
	bool more = error == DB_OK && PQntuples(rows) == 1;
	int64_t every = options.integration_figures_every_s * US_PER_S;

	(void)c;
	asking = false;
	if (!running)
		return;
	if (error != DB_OK)
		log_warn(NULL, "figures not checked err=%s: tried again", db_error_name(error));
	if (more && db_int(rows, 0, 1))
		note_finished(rows);
	loop_timer_set(next, more ? STEP_US : every && every < LOOK_US ? every : LOOK_US);
}

static void step(void *arg)
{
	(void)arg;
	if (asking || !running)
		return;
	if (options.integration_figures_every_s == 0) {
		loop_timer_set(next, LOOK_US);
		return;
	}
	asking = true;
	snprintf(now_text, sizeof(now_text), "%lld", (long long)clock_now_us());
	snprintf(every_text, sizeof(every_text), "%lld",
		(long long)options.integration_figures_every_s);
	call = (struct db_call){ .stmt = &sql_rollup_check,
		.param = { now_text, every_text, STEP_TICKETS },
		.on_done = on_step };
	db_exec(&call);
}

void quality_init(void)
{
	int64_t every = options.integration_figures_every_s * US_PER_S;

	running = true;
	next = loop_timer_new(step, NULL);
	loop_timer_set(next, every && every < LOOK_US ? every : LOOK_US);
}

void quality_free(void)
{
	running = false;
	loop_timer_free(next);
}
