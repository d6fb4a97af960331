/* SPDX-License-Identifier: Apache-2.0
 * What must be done now and then so that nothing ever runs out: the coming months' partitions, and
 * rows whose time is over. Any instance may do it; doing it twice does nothing. */
#include "db/db.h"
#include "base/clock.h"
#include "base/log.h"
#include "desk/upkeep.h"
#include "loop/loop.h"
#include "sql_gen.h"

#include <stdio.h>

#define LOOK_MS (600 * 1000)
#define PARTITIONS_AHEAD_US (92LL * 86400 * US_PER_S)

static struct db_call partitions_call, expire_call;
static char from[24], to[24], expired_now[24];
static bool partitioning, expiring, running;

static void on_partitions(struct db_call *call, enum db_error error, const PGresult *rows)
{
	(void)call;
	partitioning = false;
	if (error != DB_OK)
		log_warn(NULL, "partitions not made err=%s: tried again", db_error_name(error));
	else if (db_int(rows, 0, 0) > 0)
		log_info(NULL, "partitions made n=%lld", (long long)db_int(rows, 0, 0));
}

static void on_expired(struct db_call *call, enum db_error error, const PGresult *rows)
{
	(void)call;
	(void)error; /* they lie there until the next look */
	(void)rows;
	expiring = false;
}

static void look(void *arg)
{
	long long now = (long long)clock_now_us();

	(void)arg;
	if (!running)
		return;
	if (!partitioning) {
		partitioning = true;
		snprintf(from, sizeof(from), "%lld", now);
		snprintf(to, sizeof(to), "%lld", now + PARTITIONS_AHEAD_US);
		partitions_call = (struct db_call){ .stmt = &sql_upkeep_partitions,
			.param = { from, to },
			.on_done = on_partitions };
		db_exec(&partitions_call);
	}
	if (!expiring) {
		expiring = true;
		snprintf(expired_now, sizeof(expired_now), "%lld", now);
		expire_call = (struct db_call){
			.stmt = &sql_upkeep_expire, .param = { expired_now }, .on_done = on_expired
		};
		db_exec(&expire_call);
	}
}

void upkeep_init(void)
{
	running = true;
	loop_every(LOOK_MS, look, NULL);
}

void upkeep_free(void)
{
	running = false;
}
