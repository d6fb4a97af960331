/* SPDX-License-Identifier: Apache-2.0
 * Regular upkeep: partitions for the coming months, and rows that have expired. Any instance can do
 * it, and doing it twice changes nothing. */
#include "db/db.h"
#include "base/clock.h"
#include "base/log.h"
#include "desk/upkeep.h"
#include "sql_gen.h"

#define PARTITIONS_AHEAD_US (92LL * 86400 * US_PER_S)

static void on_partitions(struct job_run *run, enum db_error error, const PGresult *rows)
{
	if (error == DB_OK && db_int(rows, 0, 0) > 0)
		log_info(NULL, "partitions created n=%lld", (long long)db_int(rows, 0, 0));
	job_end_db(run, error);
}

static void make_partitions(struct job_run *run)
{
	job_param_int(run, 0, clock_now_us());
	job_param_int(run, 1, clock_now_us() + PARTITIONS_AHEAD_US);
	job_query(run, &sql_upkeep_partitions, on_partitions);
}

static void on_expired(struct job_run *run, enum db_error error, const PGresult *rows)
{
	(void)rows;
	job_end_db(run, error);
}

static void expire(struct job_run *run)
{
	job_param_int(run, 0, clock_now_us());
	job_query(run, &sql_upkeep_expire, on_expired);
}

const struct job desk_jobs[] = {
	{ "partitions", 600 * 1000, .claim = true, .at_start = true, .run = make_partitions },
	{ "expire", 600 * 1000, .claim = true, .run = expire },
	{ "priority_keywords", .every = versions_keywords_every, .at_start = true,
		.run = versions_keywords_run },
	{ "rebind", 5000, .claim = true, .run = rebind_run },
	{ "calendar_gaps", 6 * 3600 * 1000, .at_start = true, .run = rebind_look_for_gaps },
	{ 0 },
};
