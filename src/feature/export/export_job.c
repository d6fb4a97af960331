/* SPDX-License-Identifier: Apache-2.0
 * Writes exports, one at a time: an export is claimed for a minute, its tickets are read page by
 * page in its creator's context and scope, and the file is stored part by part. If an instance
 * dies, another one starts the export again; after three attempts it fails for good. */
#include "base/clock.h"
#include "base/log.h"
#include "core/flow.h"
#include "core/job.h"
#include "crypto/crypto.h"
#include "exports.h"
#include "export.h"
#include "sql_gen.h"

#include <stdio.h>
#include <stdlib.h>

#define PAGE 200
#define FILTERS 5
#define BYTES_MAX (8 << 20) /* of a file: it stays in the database for seven days */

enum { CLAIM, BEGIN, READ, WRITE, STORED, FAILED };

static struct {
	struct flow flow;
	struct job_run *run; /* the run of the job to which this flow belongs */
	enum job_result result;
	/* the export being written */
	int64_t tenant_id, user_id, export_id, file_id, most, limit, part;
	char tenants[32], after_at[40];
	char *scope, *filter[FILTERS], *columns;
	int64_t after_id;
	size_t bytes;
	bool last, complete; /* complete: there was no more than may be written */
	struct csv_writer writer;
	struct buf out, base64;
	struct exports_health health;
} job;

struct exports_health exports_health(void)
{
	return job.health;
}

static struct outcome *end_with(struct flow *f, enum job_result result)
{
	job.result = result;
	return flow_end(f);
}

/* The claim expires, and the export is started again. */
static struct outcome *give_up(struct flow *f, const char *what)
{
	db_log(LOG_WARN, NULL, f->error, "export not %s tenant=%lld id=%lld err=%s; will retry",
		what, (long long)job.tenant_id, (long long)job.export_id, db_error_name(f->error));
	return end_with(f, JOB_FAILED);
}

static struct outcome *step_claim(struct flow *f)
{
	flow_param_int(f, 0, clock_now_us());
	return flow_query(f, BEGIN, &sql_export_claim);
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

static void read_export(const PGresult *r)
{
	job.tenant_id = db_int(r, 0, 0);
	job.export_id = db_int(r, 0, 1);
	job.user_id = db_int(r, 0, 2);
	job.file_id = db_int(r, 0, 3);
	snprintf(job.tenants, sizeof(job.tenants), "{%lld}", (long long)job.tenant_id);
	job.writer = (struct csv_writer){ .json = str_is(db_text(r, 0, 4), "json"),
		.compressed = db_int(r, 0, 13) != 0 };
	job.columns = text_of(r, 5);
	set_columns(&job.writer, job.columns);
	for (int i = 0; i < FILTERS; i++)
		job.filter[i] = text_of(r, 6 + i);
	job.scope = text_of(r, 11);
	job.most = db_int(r, 0, 14);
	job.part = 0;
	job.bytes = 0;
	job.last = false;
}

static struct outcome *step_begin(struct flow *f)
{
	if (f->error != DB_OK)
		return end_with(f, JOB_FAILED);
	if (PQntuples(f->rows) == 0)
		return end_with(f, JOB_DONE);
	f->id = db_int(f->rows, 0, 1);
	if (!db_int(f->rows, 0, 15)) { /* failed for good */
		job.health.failed++;
		log_error(NULL, "export failed for good tenant=%lld id=%lld",
			(long long)db_int(f->rows, 0, 0), (long long)f->id);
		return end_with(f, JOB_MORE);
	}
	read_export(f->rows);
	csv_writer_begin(&job.writer, db_int(f->rows, 0, 12) != 0, &job.out);
	return flow_go(f, READ);
}

static struct outcome *step_read(struct flow *f)
{
	int64_t left = job.most - job.writer.rows;

	job.limit = (left < PAGE ? left : PAGE) + 1; /* one more: it says whether there is more */
	flow_param_int(f, 0, job.limit);
	if (job.writer.rows) {
		flow_param_text(f, 1, job.after_at);
		flow_param_int(f, 2, job.after_id);
	}
	for (int i = 0; i < FILTERS; i++)
		flow_param_text(f, 3 + i, job.filter[i]);
	return flow_query_as(f, WRITE, &sql_export_page,
		&(struct db_context){ .role = DB_ROLE_TENANT,
			.tenants = job.tenants,
			.tenant_id = job.tenant_id,
			.user_id = job.user_id,
			.scope = job.scope });
}

static void write_rows(const PGresult *rows)
{
	int n = PQntuples(rows);

	job.complete = n < job.limit;
	if (!job.complete)
		n = (int)job.limit - 1;
	for (int c = 0; c < job.writer.columns; c++)
		job.writer.column[c] = PQfnumber(rows, job.writer.name[c]);
	csv_writer_rows(&job.writer, rows, n, &job.out);
	job.last = job.complete || job.writer.rows >= job.most;
	if (n) {
		time_format(db_time(rows, n - 1, 0), 6, job.after_at);
		job.after_id = db_int(rows, n - 1, 1);
	}
	if (job.last)
		csv_writer_end(&job.writer, &job.out);
}

static struct outcome *step_write(struct flow *f)
{
	if (f->error != DB_OK)
		return give_up(f, "read");
	write_rows(f->rows);
	job.bytes += job.out.n;
	flow_param_int(f, 0, job.tenant_id);
	flow_param_int(f, 1, job.export_id);
	flow_param_int(f, 2, job.file_id);
	if (job.bytes > BYTES_MAX) {
		flow_param_text(f, 3, "too_large");
		flow_param_int(f, 4, clock_now_us());
		return flow_query(f, FAILED, &sql_export_fail);
	}
	job.base64.n = 0;
	buf_add_base64(&job.base64, job.out.n ? job.out.p : "", job.out.n);
	flow_param_int(f, 3, job.part);
	flow_param_text(f, 4, buf_cstr(&job.base64));
	flow_param_int(f, 5, job.writer.rows);
	flow_param_int(f, 6, clock_now_us());
	flow_param_text(f, 7, job.last ? "true" : "false");
	flow_param_text(f, 8, job.complete ? "true" : "false");
	return flow_query(f, STORED, &sql_export_part);
}

static struct outcome *step_stored(struct flow *f)
{
	if (f->error != DB_OK)
		return give_up(f, "written");
	if (PQntuples(f->rows) == 0) /* another instance has it */
		return end_with(f, JOB_MORE);
	job.out.n = 0;
	job.part++;
	if (!job.last)
		return flow_go(f, READ);
	job.health.written++;
	return end_with(f, JOB_MORE);
}

static struct outcome *step_failed(struct flow *f)
{
	return end_with(f,
		JOB_MORE); /* if it was not stored, the claim expires and the export is retried */
}

static const struct flow_step steps[] = {
	[CLAIM] = { "claim", step_claim },
	[BEGIN] = { "begin", step_begin },
	[READ] = { "read", step_read },
	[WRITE] = { "write", step_write },
	[STORED] = { "stored", step_stored },
	[FAILED] = { "failed", step_failed },
};

static void on_end(struct flow *f)
{
	csv_writer_free(&job.writer);
	free(job.scope);
	free(job.columns);
	for (int i = 0; i < FILTERS; i++)
		free(job.filter[i]), job.filter[i] = NULL;
	job.scope = job.columns = NULL;
	job.out.n = 0;
	job_end(job.run, f->stopped ? JOB_DONE : job.result);
}

static const struct flow_kind export_flow = { "export", steps, on_end };

static void write_next(struct job_run *run)
{
	job.run = run;
	flow_start(&job.flow, &export_flow, 0);
}

const struct job export_jobs[] = {
	{ .name = "export_write",
		.every_ms = 10000,
		.more_ms = 1,
		.at_start = true,
		.run = write_next },
	{ 0 },
};

void exports_wake(void)
{
	job_wake(&export_jobs[0]);
}

void exports_stop(void)
{
	flow_stop(&job.flow);
}

void exports_free(void)
{
	buf_free(&job.out);
	buf_free(&job.base64);
}
