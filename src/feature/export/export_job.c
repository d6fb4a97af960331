/* SPDX-License-Identifier: Apache-2.0
 * Writes exports, one at a time: an export is claimed for a minute, its tickets are read page by
 * page in its creator's context and scope, and the file is stored part by part. If an instance
 * dies, another one starts the export again; after three attempts it fails for good. */
#include "base/clock.h"
#include "base/log.h"
#include "crypto/crypto.h"
#include "exports.h"
#include "export.h"
#include "loop/loop.h"
#include "sql_gen.h"

#include <stdio.h>
#include <stdlib.h>

#define LOOK_US (10 * US_PER_S)
#define PAGE 200
#define BYTES_MAX (8 << 20) /* a file is built in memory */

static struct {
	bool running, busy;
	struct loop_timer *soon;
	struct db_call call;
	/* the export being written */
	char tenants[32], tenant[24], export[24], file[24], part_no[24], records[24], now[24];
	char limit[24], after_at[40], after_id[24], *scope, *filter[5], *columns;
	int64_t tenant_id, user_id, most, part;
	size_t bytes;
	bool last;
	struct csv_writer sheet;
	struct buf out, base64;
	struct exports_health health;
} job;

static void next_page(void);

struct exports_health exports_health(void)
{
	return job.health;
}

static void query_next(const struct sql_stmt *stmt,
	void (*on_done)(struct db_call *, enum db_error, const PGresult *))
{
	job.call.stmt = stmt;
	job.call.on_done = on_done;
	db_exec(&job.call);
}

/* For the job's own row and file; pages are read with the rights of the user who requested them. */
static void query_job(const struct sql_stmt *stmt,
	void (*on_done)(struct db_call *, enum db_error, const PGresult *))
{
	job.call.ctx = (struct db_context){ .role = DB_ROLE_JOB };
	query_next(stmt, on_done);
}

/* Give up what was written so far, and look for the next export in WAIT_US. */
static void rest_until(int64_t wait_us)
{
	csv_writer_free(&job.sheet);
	free(job.scope);
	free(job.columns);
	for (int i = 0; i < 5; i++)
		free(job.filter[i]), job.filter[i] = NULL;
	job.scope = job.columns = NULL;
	job.out.n = 0;
	job.busy = false;
	if (job.running)
		loop_timer_set(job.soon, wait_us);
}

static void on_failed(struct db_call *call, enum db_error error, const PGresult *rows)
{
	(void)call;
	(void)error; /* then the claim expires, and the export is retried */
	(void)rows;
	rest_until(0);
}

static void fail(const char *why)
{
	snprintf(job.now, sizeof(job.now), "%lld", (long long)clock_now_us());
	job.call = (struct db_call){ .param = { job.tenant, job.export, job.file, why, job.now } };
	query_job(&sql_export_fail, on_failed);
}

static void on_stored(struct db_call *call, enum db_error error, const PGresult *rows)
{
	(void)call;
	if (!job.running || error != DB_OK || PQntuples(rows) == 0) {
		if (error != DB_OK)
			log_warn(NULL, "export not written tenant=%s err=%s; will retry",
				job.tenant, db_error_name(error));
		rest_until(error == DB_OK ? 0 : LOOK_US);
		return;
	}
	job.out.n = 0;
	job.part++;
	if (!job.last) {
		next_page();
		return;
	}
	job.health.written++;
	rest_until(0);
}

static void store_part(void)
{
	job.bytes += job.out.n;
	if (job.bytes > BYTES_MAX) {
		fail("too_large");
		return;
	}
	job.base64.n = 0;
	buf_add_base64(&job.base64, job.out.n ? job.out.p : "", job.out.n);
	snprintf(job.part_no, sizeof(job.part_no), "%lld", (long long)job.part);
	snprintf(job.records, sizeof(job.records), "%lld", (long long)job.sheet.rows);
	snprintf(job.now, sizeof(job.now), "%lld", (long long)clock_now_us());
	job.call = (struct db_call){ .param = { job.tenant, job.export, job.file, job.part_no,
					     buf_cstr(&job.base64), job.records, job.now,
					     job.last ? "true" : "false" } };
	query_job(&sql_export_part, on_stored);
}

static void on_page(struct db_call *call, enum db_error error, const PGresult *rows)
{
	int n = error == DB_OK ? PQntuples(rows) : 0, limit = atoi(job.limit);

	(void)call;
	if (!job.running || error != DB_OK) {
		if (error != DB_OK)
			log_warn(NULL, "export not read tenant=%s err=%s; will retry", job.tenant,
				db_error_name(error));
		rest_until(LOOK_US);
		return;
	}
	for (int c = 0; c < job.sheet.columns; c++)
		job.sheet.column[c] = PQfnumber(rows, job.sheet.name[c]);
	csv_writer_rows(&job.sheet, rows, &job.out);
	job.last = n < limit || job.sheet.rows >= job.most;
	if (n) {
		time_format(db_time(rows, n - 1, 0), 6, job.after_at);
		snprintf(job.after_id, sizeof(job.after_id), "%lld",
			(long long)db_int(rows, n - 1, 1));
	}
	if (job.last)
		csv_writer_end(&job.sheet, &job.out);
	store_part();
}

static void next_page(void)
{
	int64_t left = job.most - job.sheet.rows;
	bool first = job.sheet.rows == 0;

	snprintf(job.limit, sizeof(job.limit), "%lld", (long long)(left < PAGE ? left : PAGE));
	job.call = (struct db_call){ .ctx = { .role = DB_ROLE_TENANT,
					     .tenants = job.tenants,
					     .tenant_id = job.tenant_id,
					     .user_id = job.user_id,
					     .scope = job.scope },
		.param = { job.limit, first ? NULL : job.after_at, first ? NULL : job.after_id,
			job.filter[0], job.filter[1], job.filter[2], job.filter[3],
			job.filter[4] } };
	query_next(&sql_export_page, on_page);
}

static char *text_of(const PGresult *r, int column)
{
	struct str t = db_text(r, 0, column);

	return db_is_null(r, 0, column) ? NULL : xstrndup(t.p, t.n);
}

/* The names in COLUMNS, each ended by a space. */
static void set_columns(struct csv_writer *s, char *columns)
{
	char *save = NULL;

	for (char *name = strtok_r(columns, " ", &save);
		name && s->columns < CSV_WRITER_COLUMNS_MAX; name = strtok_r(NULL, " ", &save))
		s->name[s->columns++] = name;
}

static void on_claimed(struct db_call *call, enum db_error error, const PGresult *r)
{
	(void)call;
	if (!job.running || error != DB_OK || PQntuples(r) == 0) {
		rest_until(LOOK_US);
		return;
	}
	if (!db_int(r, 0, 15)) { /* failed for good */
		job.health.failed++;
		log_error(NULL, "export failed for good tenant=%lld id=%lld",
			(long long)db_int(r, 0, 0), (long long)db_int(r, 0, 1));
		rest_until(0);
		return;
	}
	job.tenant_id = db_int(r, 0, 0);
	job.user_id = db_int(r, 0, 2);
	snprintf(job.tenant, sizeof(job.tenant), "%lld", (long long)job.tenant_id);
	snprintf(job.tenants, sizeof(job.tenants), "{%lld}", (long long)job.tenant_id);
	snprintf(job.export, sizeof(job.export), "%lld", (long long)db_int(r, 0, 1));
	snprintf(job.file, sizeof(job.file), "%lld", (long long)db_int(r, 0, 3));
	job.sheet = (struct csv_writer){ .json = str_is(db_text(r, 0, 4), "json"),
		.compressed = db_int(r, 0, 13) != 0 };
	job.columns = text_of(r, 5);
	set_columns(&job.sheet, job.columns);
	for (int i = 0; i < 5; i++)
		job.filter[i] = text_of(r, 6 + i);
	job.scope = text_of(r, 11);
	job.most = db_int(r, 0, 14);
	job.part = 0;
	job.bytes = 0;
	job.last = false;
	csv_writer_begin(&job.sheet, db_int(r, 0, 12) != 0, &job.out);
	next_page();
}

static void claim_next(void *arg)
{
	(void)arg;
	if (job.busy || !job.running)
		return;
	job.busy = true;
	snprintf(job.now, sizeof(job.now), "%lld", (long long)clock_now_us());
	job.call = (struct db_call){ .param = { job.now } };
	query_job(&sql_export_claim, on_claimed);
}

void exports_wake(void)
{
	if (job.running && !job.busy)
		loop_timer_set(job.soon, 0);
}

void exports_init(void)
{
	job.running = true;
	job.soon = loop_timer_new(claim_next, NULL);
	loop_timer_set(job.soon, US_PER_S);
}

void exports_free(void)
{
	job.running = false;
	if (!job.busy)
		rest_until(0);
	loop_timer_free(job.soon);
	buf_free(&job.out);
	buf_free(&job.base64);
}
