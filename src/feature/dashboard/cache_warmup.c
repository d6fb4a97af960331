/* SPDX-License-Identifier: Apache-2.0
 * After a start, once the missed events are counted, compute the overviews that users are about to
 * open, one by one, or take them from Redis. */
#include "core/cache.h"
#include "base/clock.h"
#include "base/log.h"
#include "dashboard.h"
#include "overview.h"
#include "sql_gen.h"

#define LOOK_MS 200 /* between two looks at whether the events are counted */
#define AGAIN_MS (365LL * 86400 * 1000)

static struct {
	PGresult *rows; /* cache/warmup */
	int next;
	bool done;
} warmup;

void cache_warmup_free(void)
{
	PQclear(warmup.rows);
	warmup.rows = NULL;
}

static void warmup_next(struct job_run *run)
{
	const PGresult *r = warmup.rows;
	int i = warmup.next++;

	if (i < PQntuples(r)) {
		overview_warm(db_int(r, i, 0), str_is(db_text(r, i, 1), "zh"),
			permissions_parse(db_text(r, i, 2)) | 1u << PERM_SELF);
		job_end(run, JOB_MORE);
		return;
	}
	log_info(NULL, "dashboards computed in advance n=%d", PQntuples(r));
	warmup.done = true;
	cache_warmup_free();
	job_end(run, JOB_DONE);
}

static void on_list(struct job_run *run, enum db_error error, const PGresult *rows)
{
	(void)rows;
	if (error != DB_OK) { /* then each is computed when it is requested */
		warmup.done = true;
		job_end(run, JOB_DONE);
		return;
	}
	warmup.rows = run->call.rows;
	warmup_next(run);
}

int64_t cache_warmup_every(void)
{
	return warmup.done ? AGAIN_MS : LOOK_MS;
}

void cache_warmup_run(struct job_run *run)
{
	struct rollup_health r = rollup_health();

	if (warmup.rows) {
		warmup_next(run);
		return;
	}
	if (warmup.done || !r.caught_up || r.waiting) {
		job_end(run, JOB_DONE);
		return;
	}
	run->call.keep_rows = true;
	job_param_int(run, 0, clock_now_us());
	job_query(run, &sql_cache_warmup, on_list);
}
