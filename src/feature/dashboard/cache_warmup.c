/* SPDX-License-Identifier: Apache-2.0
 * After a start, when what was missed is counted: the overviews that people will open are computed
 * one by one, or taken from Redis, before they are asked for. */
#include "core/cache.h"
#include "base/clock.h"
#include "base/log.h"
#include "dashboard.h"
#include "loop/loop.h"
#include "overview.h"
#include "sql_gen.h"

#include <stdio.h>

#define LOOK_US 200000
#define GAP_US 20000 /* between two, so that others have their turn */

static struct {
	struct loop_timer *timer;
	struct db_call call;
	char now[24];
	PGresult *rows; /* rollup/warm */
	int next;
	bool stopped;
} warm;

static void end(void)
{
	PQclear(warm.rows);
	warm.rows = NULL;
}

static void step(void *arg)
{
	const PGresult *r = warm.rows;
	int i = warm.next++;

	(void)arg;
	if (warm.stopped || i >= PQntuples(r)) {
		if (!warm.stopped)
			log_info(NULL, "dashboards warm n=%d", PQntuples(r));
		end();
		return;
	}
	overview_warm(db_int(r, i, 0), str_is(db_text(r, i, 1), "zh"),
		permissions_parse(db_text(r, i, 2)) | 1u << PERM_SELF);
	loop_timer_set(warm.timer, GAP_US);
}

static void on_list(struct db_call *call, enum db_error error, const PGresult *rows)
{
	(void)rows;
	if (error != DB_OK) /* then each is computed when it is asked for */
		return;
	warm.rows = call->rows;
	if (warm.stopped) {
		end();
		return;
	}
	step(NULL);
}

static void look(void *arg)
{
	struct rollup_health r = rollup_health();

	if (warm.stopped)
		return;
	if (warm.rows) {
		step(arg);
		return;
	}
	if (!r.caught_up || r.waiting) {
		loop_timer_set(warm.timer, LOOK_US);
		return;
	}
	snprintf(warm.now, sizeof(warm.now), "%lld", (long long)clock_now_us());
	warm.call = (struct db_call){ .stmt = &sql_rollup_warm,
		.param = { warm.now },
		.keep_rows = true,
		.on_done = on_list };
	db_exec(&warm.call);
}

void warm_init(void)
{
	warm.timer = loop_timer_new(look, NULL);
	loop_timer_set(warm.timer, LOOK_US);
}

void warm_free(void)
{
	warm.stopped = true;
	end();
	loop_timer_free(warm.timer);
}
