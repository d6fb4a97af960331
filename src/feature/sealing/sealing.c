/* SPDX-License-Identifier: Apache-2.0 */
#include "sealing.h"
#include "base/clock.h"
#include "base/log.h"
#include "config/fieldkeys.h"
#include "config/options.h"
#include "sql_gen.h"

#define EVERY_MS 10000
#define MORE_MS 10
#define BATCH 100          /* about 2 ms of a turn */
#define OPEN_S (7 * 86400) /* how long a mark is good for; it is renewed after half of it */

static struct {
	int column;     /* being worked on */
	char after[24]; /* the position in its table, as PostgreSQL writes it */
	int64_t fresh;  /* stored in this pass */
	int64_t bad;    /* cannot be decrypted */
	bool counted;
	int64_t waiting; /* left in the column */
	int64_t stored;
	int64_t longest_us;
	struct buf rows, key, marks;
} seal = { .after = "(0,0)" };

static void next_column(int column)
{
	seal.column = column;
	snprintf(seal.after, sizeof(seal.after), "(0,0)");
	seal.fresh = seal.bad = seal.waiting = 0;
	seal.counted = false;
}

/* --- the beginning --- */

static void on_begun(struct job_run *run, enum db_error error, const PGresult *rows)
{
	if (error == DB_OK && PQntuples(rows)) {
		log_info(NULL, "values of an earlier version will be encrypted anew, bound to "
			       "their place");
		fieldkeys_reload();
	}
	job_end_db(run, error);
}

static void begin(struct job_run *run)
{
	int64_t now = clock_now_us();

	seal.key.n = 0;
	seal.marks.n = 0;
	fieldkeys_change_over(NULL, now / US_PER_S + OPEN_S, &seal.key, &seal.marks);
	job_param_text(run, 0, buf_cstr(&seal.key));
	job_param_text(run, 1, buf_cstr(&seal.marks));
	job_param_int(run, 2, now);
	job_param_int(run, 3, now + options.crypto_key_delay_s * US_PER_S);
	job_param_text(run, 4, "false");
	job_query(run, &sql_sealing_begin, on_begun);
}

/* --- the end of a column --- */

static void on_closed(struct job_run *run, enum db_error error, const PGresult *rows)
{
	(void)rows;
	if (error != DB_OK) {
		job_end_db(run, error);
		return;
	}
	log_info(NULL, "encrypted anew column=%s unreadable=%lld; nothing old is accepted any more",
		field_column_name((enum field_column)seal.column), (long long)seal.bad);
	field_old_accept((enum field_column)seal.column, 0);
	next_column(seal.column + 1);
	job_end(run, JOB_MORE);
}

static void close_column(struct job_run *run)
{
	job_param_text(run, 0, field_column_name((enum field_column)seal.column));
	job_query(run, &sql_sealing_close, on_closed);
}

/* --- a batch --- */

static void on_put(struct job_run *run, enum db_error error, const PGresult *rows)
{
	int64_t n;

	if (error != DB_OK) {
		next_column(seal.column);
		job_end_db(run, error);
		return;
	}
	n = db_int(rows, 0, 0);
	seal.fresh += n;
	seal.stored += n;
	seal.waiting -= n < seal.waiting ? n : seal.waiting;
	job_end(run, JOB_MORE);
}

static void on_next(struct job_run *run, enum db_error error, const PGresult *rows)
{
	int n = error == DB_OK ? PQntuples(rows) : 0;
	int64_t began = clock_mono_us();

	if (error != DB_OK) {
		job_end_db(run, error);
		return;
	}
	if (!n && seal.fresh) { /* what has moved in the table meanwhile needs another look */
		snprintf(seal.after, sizeof(seal.after), "(0,0)");
		seal.fresh = seal.bad = 0;
		job_end(run, JOB_MORE);
		return;
	}
	if (!n) {
		close_column(run);
		return;
	}
	seal.rows.n = 0;
	buf_addc(&seal.rows, '[');
	for (int i = 0; i < n; i++)
		seal.bad += !field_reseal(&seal.rows, db_text(rows, i, 0), db_text(rows, i, 1),
			db_text(rows, i, 2), clock_now_us() / US_PER_S);
	buf_addc(&seal.rows, ']');
	snprintf(seal.after, sizeof(seal.after), "%.*s", (int)db_text(rows, n - 1, 0).n,
		db_text(rows, n - 1, 0).p);
	job_param_text(run, 0, field_column_name((enum field_column)seal.column));
	job_param_text(run, 1, buf_cstr(&seal.rows));
	began = clock_mono_us() - began;
	seal.longest_us = began > seal.longest_us ? began : seal.longest_us;
	job_query(run, &sql_sealing_put, on_put);
}

static void ask_next(struct job_run *run)
{
	job_param_text(run, 0, field_column_name((enum field_column)seal.column));
	job_param_text(run, 1, "e2.%");
	job_param_text(run, 2, seal.after);
	job_param_int(run, 3, BATCH);
	job_query(run, &sql_sealing_next, on_next);
}

static void on_counted(struct job_run *run, enum db_error error, const PGresult *rows)
{
	if (error != DB_OK) {
		job_end_db(run, error);
		return;
	}
	seal.waiting = db_int(rows, 0, 0);
	seal.counted = true;
	ask_next(run);
}

static void on_renewed(struct job_run *run, enum db_error error, const PGresult *rows)
{
	(void)rows;
	if (error == DB_OK)
		fieldkeys_reload();
	job_end_db(run, error);
}

/* --- the job --- */

static bool all_closed(void)
{
	for (int c = 0; c < FIELD_COLUMNS; c++)
		if (field_old_until((enum field_column)c))
			return false;
	return true;
}

static int64_t every(void)
{
	return field_keys_ready() && field_placed() && all_closed() ? 0 : EVERY_MS;
}

static void work(struct job_run *run)
{
	int64_t now_s = clock_now_us() / US_PER_S;

	while (seal.column < FIELD_COLUMNS && !field_old_accepted((enum field_column)seal.column))
		next_column(seal.column + 1);
	if (seal.column >= FIELD_COLUMNS) {
		next_column(0);
		job_end(run, JOB_DONE);
		return;
	}
	job_param_text(run, 0, field_column_name((enum field_column)seal.column));
	if (field_old_until((enum field_column)seal.column) - now_s < OPEN_S / 2) {
		seal.marks.n = 0;
		field_mark_renew(
			&seal.marks, (enum field_column)seal.column, now_s + OPEN_S, now_s);
		job_param_text(run, 1, buf_cstr(&seal.marks));
		job_query(run, &sql_sealing_renew, on_renewed);
	} else if (!seal.counted) {
		job_param_text(run, 1, "e2.%");
		job_query(run, &sql_sealing_count, on_counted);
	} else {
		ask_next(run);
	}
}

static void run_sealing(struct job_run *run)
{
	if (!field_keys_ready())
		job_end(run, JOB_DONE);
	else if (!field_placed())
		begin(run);
	else if (field_key_current(clock_now_us() / US_PER_S) < FIELD_PLACED_KEY)
		job_end(run, JOB_DONE); /* its time has not come: not every instance has read it */
	else
		work(run);
}

static void release(void)
{
	buf_free(&seal.rows);
	buf_free(&seal.key);
	buf_free(&seal.marks);
}

/* --- metrics --- */

static double waiting(void)
{
	return (double)seal.waiting;
}

static double columns_left(void)
{
	int n = 0;

	for (int c = 0; c < FIELD_COLUMNS; c++)
		n += field_keys_ready() && field_old_accepted((enum field_column)c);
	return n;
}

static double stored(void)
{
	return (double)seal.stored;
}

static double longest(void)
{
	return (double)seal.longest_us / US_PER_S;
}

static double refused(void)
{
	return (double)field_refused();
}

static const struct metric metrics[] = {
	{ "sealed_refused_total", METRIC_COUNTER,
		"Encrypted values that were not written where they were read; the log names table, "
		"column, tenant and row.",
		refused },
	{ "sealing_columns", METRIC_GAUGE,
		"Columns in which values of an earlier version are still accepted.", columns_left },
	{ "sealing_waiting", METRIC_GAUGE,
		"Values of the present column that are still to be encrypted anew, on the instance "
		"that does it.",
		waiting },
	{ "sealing_stored_total", METRIC_COUNTER, "Values that have been encrypted anew.", stored },
	{ "sealing_longest_seconds", METRIC_GAUGE, "The longest turn of encrypting anew.",
		longest },
	{ 0 },
};
static const struct job jobs[] = {
	{ "sealing", .every = every, .more_ms = MORE_MS, .claim = true, .at_start = true,
		.run = run_sealing },
	{ 0 },
};
const struct feature sealing_feature = {
	.name = "sealing", .free = release, .jobs = jobs, .metrics = metrics
};
