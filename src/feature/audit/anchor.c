/* SPDX-License-Identifier: Apache-2.0
 * Anchors of the audit chains. A chain alone shows what was edited inside it; that its end was cut
 * off or that all of it was computed anew shows only in what is kept elsewhere. So the last digest
 * of each chain is mailed once a day, and signed every ten minutes or 1,000 rows. The signed lines
 * go into the log, into a table (for the files of other instances), and into a file that only
 * grows. They have one sequence; each carries the digest of the one before.
 *
 * A run: read the last line of the file, complete the file from the table, sign what is due, store,
 * append. A helper reads and writes the file. What the file says counts: if the table contradicts
 * it, somebody changed the table. */
#include "anchor.h"
#include "base/clock.h"
#include "base/log.h"
#include "config/keyfile.h"
#include "config/options.h"
#include "core/hooks.h"
#include "crypto/anchor.h"
#include "sql_gen.h"
#include "work/work.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define AT_ONCE 50    /* rows of sign_due: signing them takes about 3 ms */
#define LINES_MAX 200 /* rows of sign_lines */
#define FILE_MS 30000

static struct {
	struct job_run *run;
	char *file, *key_file;
	bool usable;                   /* can the file be written in this run? */
	struct buf in_file;            /* its last line */
	char tip[ANCHOR_LINE_MAX + 1]; /* the line that the next one follows */
	int64_t tip_no, seen_no;       /* seen_no: the last one in the table */
	struct buf lines, rows, log;   /* to append; to store; to log */
	bool more;
	int64_t due_n;
	bool file_fails, contradicts;
	uint64_t total;
} sign;

/* --- the daily anchor --- */

static void on_anchored(struct job_run *run, enum db_error error, const PGresult *r)
{
	for (int i = 0; error == DB_OK && i < PQntuples(r); i++)
		log_info(NULL, "audit anchor tenant=%.*s chain_no=%lld digest=%.*s",
			(int)db_text(r, i, 0).n, db_text(r, i, 0).p, (long long)db_int(r, i, 1),
			(int)db_text(r, i, 2).n, db_text(r, i, 2).p);
	if (error == DB_OK && PQntuples(r))
		notify_wake();
	job_end_db(run, error);
}

void anchor_day(struct job_run *run)
{
	job_param_int(run, 0, clock_now_us());
	job_query(run, &sql_audit_anchor, on_anchored);
}

/* --- signed anchors --- */

void anchor_init(void)
{
	char *key = keyfile_beside(options.audit_key_file, "audit.pem");
	const char *why = anchor_key_open(key);

	if (why)
		die("audit.key_file: %s: %s", key, why);
	free(sign.key_file);
	sign.key_file = key;
	free(sign.file);
	sign.file = keyfile_beside(options.audit_anchor_file, "audit-anchors");
}

void anchor_check(struct buf *faults)
{
	char *key = keyfile_beside(options.audit_key_file, "audit.pem");
	const char *why = keyfile_fault(key);

	if (!why && access(key, F_OK) == 0)
		why = anchor_key_open(key);
	if (why)
		buf_addf(faults, "audit.key_file: %s: %s\n", key, why);
	free(key);
}

void anchor_free(void)
{
	anchor_keys_free();
	free(sign.file);
	free(sign.key_file);
	sign.file = sign.key_file = NULL;
	buf_free(&sign.in_file);
	buf_free(&sign.lines);
	buf_free(&sign.rows);
	buf_free(&sign.log);
}

bool anchor_is_failing(void)
{
	return sign.file_fails || sign.contradicts;
}

double anchor_read_total(void)
{
	return (double)sign.total;
}

double anchor_read_faults(void)
{
	return anchor_is_failing();
}

static void end_signing(enum job_result result)
{
	struct job_run *run = sign.run;

	sign.run = NULL;
	buf_free(&sign.in_file);
	buf_free(&sign.lines);
	buf_free(&sign.rows);
	buf_free(&sign.log);
	job_end(run, result);
}

/* The file cannot be used in this run; the table completes it later. */
static void file_failed(const char *why)
{
	if (!sign.file_fails)
		log_error(NULL, "the file of audit anchors cannot be written file=%s why=%s",
			sign.file, why);
	sign.file_fails = true;
	sign.usable = false;
}

/* Somebody changed the table or the file. */
static void contradiction(const char *what, int64_t line_no)
{
	if (!sign.contradicts)
		log_error(NULL,
			"audit anchors contradict each other: the database was changed or "
			"restored, "
			"or the file was; run sladesk audit verify --anchors what=%s line=%lld "
			"file=%s",
			what, (long long)line_no, sign.file);
	sign.contradicts = true;
}

static void ask_file(const struct buf *expected, const struct buf *lines, work_done *on_done)
{
	struct buf b = { 0 };

	buf_add(&b, sign.file, strlen(sign.file) + 1);
	buf_add(&b, expected->p, expected->n);
	buf_addc(&b, 0);
	buf_add(&b, lines->p, lines->n);
	if (!work_submit(&(struct work_job){ .kind = WORK_APPEND,
		    .p = b.p,
		    .n = b.n,
		    .timeout_ms = FILE_MS,
		    .on_done = on_done }))
		on_done(NULL, WORK_LATE, (struct str){ "", 0 });
	buf_free(&b);
}

static void on_appended(void *arg, enum work_end how, struct str answer)
{
	bool more = sign.more;

	(void)arg;
	if (how == WORK_DONE && answer.n && answer.p[0] == '+') {
		if (sign.file_fails)
			log_info(NULL, "the file of audit anchors is written again");
		sign.file_fails = false;
	} else if (how == WORK_DONE && answer.n && answer.p[0] == '=') {
		more = true; /* another instance has written; the next run takes that in */
	} else {
		char why[200];

		snprintf(why, sizeof(why), "%.*s", answer.n > 1 ? (int)answer.n - 1 : 7,
			answer.n > 1 ? answer.p + 1 : "no help");
		file_failed(why);
	}
	end_signing(more ? JOB_MORE : JOB_DONE);
}

static void append(void)
{
	if (sign.lines.n && sign.usable) {
		ask_file(&sign.in_file, &sign.lines, on_appended);
		return;
	}
	if (sign.usable) /* it has all lines */
		sign.file_fails = false;
	end_signing(sign.more ? JOB_MORE : JOB_DONE);
}

static void on_stored(struct job_run *run, enum db_error error, const PGresult *r)
{
	if (error != DB_OK) {
		sign.run = NULL;
		job_end_db(run, error);
		return;
	}
	if (db_int(r, 0, 0) != sign.due_n) {
		end_signing(JOB_MORE); /* another instance was faster */
		return;
	}
	for (const char *p = buf_cstr(&sign.log), *next; *p; p = next + 1) {
		next = strchr(p, '\n');
		log_info(NULL, "audit anchor signed line=%.*s", (int)(next - p), p);
		sign.total++;
	}
	append();
}

static void sign_one(int64_t tenant_id, int64_t chain_no, struct str digest, int64_t now)
{
	struct anchor a = {
		.line_no = ++sign.tip_no, .tenant_id = tenant_id, .chain_no = chain_no
	};
	struct buf line = { 0 };

	snprintf(a.digest, sizeof(a.digest), "%.*s", (int)digest.n, digest.p);
	time_format(now, 6, a.at);
	if (sign.tip[0])
		anchor_line_digest(str_of(sign.tip), a.before);
	else
		memset(a.before, '0', sizeof(a.before) - 1);
	anchor_line_add(&line, &a);
	snprintf(sign.tip, sizeof(sign.tip), "%s", buf_cstr(&line));
	buf_addf(&sign.rows,
		"%s{\"tenant_id\":%lld,\"chain_no\":%lld,\"line_no\":%lld,\"line\":\"%s\",\"at\":"
		"%lld}",
		sign.rows.n ? "," : "[", (long long)tenant_id, (long long)chain_no,
		(long long)a.line_no, sign.tip, (long long)now);
	buf_addf(&sign.lines, "%s\n", sign.tip);
	buf_addf(&sign.log, "%s\n", sign.tip);
	buf_free(&line);
}

static void on_due(struct job_run *run, enum db_error error, const PGresult *r)
{
	int64_t now = clock_now_us();

	if (error != DB_OK) {
		sign.run = NULL;
		job_end_db(run, error);
		return;
	}
	sign.due_n = PQntuples(r);
	sign.more = sign.due_n == AT_ONCE;
	if (!sign.due_n) {
		append();
		return;
	}
	for (int i = 0; i < PQntuples(r); i++)
		sign_one(db_int(r, i, 0), db_int(r, i, 1), db_text(r, i, 2), now);
	buf_addc(&sign.rows, ']');
	job_param_int(run, 0, sign.seen_no);
	job_param_text(run, 1, buf_cstr(&sign.rows));
	job_query(run, &sql_audit_sign_store, on_stored);
}

/* Does LINE, the one with NO in the table, follow the tip? If so, it is the new tip. */
static bool follows(struct str line, int64_t no)
{
	struct anchor a;
	struct str text;
	char before[65];

	memset(before, '0', 64);
	before[64] = 0;
	if (sign.tip[0])
		anchor_line_digest(str_of(sign.tip), before);
	if (line.n > ANCHOR_LINE_MAX || anchor_line_read(line, &a, &text) || a.line_no != no ||
		no != sign.tip_no + 1 || strcmp(a.before, before) != 0 || text.n != line.n)
		return false;
	snprintf(sign.tip, sizeof(sign.tip), "%.*s", (int)line.n, line.p);
	sign.tip_no = no;
	return true;
}

static void on_lines(struct job_run *run, enum db_error error, const PGresult *r)
{
	int n = error == DB_OK ? PQntuples(r) : 0;
	bool beyond;

	if (error != DB_OK) {
		sign.run = NULL;
		job_end_db(run, error);
		return;
	}
	sign.seen_no = n ? db_int(r, n - 1, 0) : 0;
	beyond = n && sign.seen_no > sign.tip_no;
	if (!sign.usable && n) { /* go on from the table */
		snprintf(sign.tip, sizeof(sign.tip), "%.*s", (int)db_text(r, n - 1, 1).n,
			db_text(r, n - 1, 1).p);
		sign.tip_no = sign.seen_no;
	} else if (beyond) {
		for (int i = 0; i < n; i++) {
			struct str line = db_text(r, i, 1);

			if (!follows(line, db_int(r, i, 0))) {
				contradiction("the table holds a line that does not follow",
					db_int(r, i, 0));
				end_signing(JOB_FAILED);
				return;
			}
			buf_addf(&sign.lines, "%.*s\n", (int)line.n, line.p);
		}
	} else if (sign.seen_no < sign.tip_no) { /* the file counts */
		contradiction("the table has lost lines", sign.seen_no);
	} else if (n && !str_is(db_text(r, n - 1, 1), sign.tip)) {
		contradiction("another line in the table", sign.seen_no);
		end_signing(JOB_FAILED);
		return;
	} else if (sign.usable) {
		sign.contradicts = false;
	}
	if (beyond && n == LINES_MAX) {
		sign.more = true;
		append();
		return;
	}
	job_param_int(run, 0, clock_now_us());
	job_query(run, &sql_audit_sign_due, on_due);
}

static void on_last(void *arg, enum work_end how, struct str answer)
{
	struct anchor a = { 0 };
	struct str text;

	(void)arg;
	sign.usable = how == WORK_DONE && answer.n && answer.p[0] == '=';
	if (!sign.usable) {
		char why[200];

		snprintf(why, sizeof(why), "%.*s", answer.n > 1 ? (int)answer.n - 1 : 7,
			answer.n > 1 ? answer.p + 1 : "no help");
		file_failed(why);
	} else if (answer.n > 1) {
		buf_add(&sign.in_file, answer.p + 1, answer.n - 1);
		if (anchor_line_read((struct str){ answer.p + 1, answer.n - 1 }, &a, &text) ||
			text.n != answer.n - 1)
			file_failed("its last line is not an anchor signed with audit.key_file; "
				    "move the file away");
		else
			snprintf(sign.tip, sizeof(sign.tip), "%.*s", (int)text.n, text.p);
	}
	sign.tip_no = sign.tip[0] ? a.line_no : 0;
	job_param_int(sign.run, 0, sign.usable ? sign.tip_no : INT64_MAX);
	job_query(sign.run, &sql_audit_sign_lines, on_lines);
}

void anchor_sign(struct job_run *run)
{
	static const struct buf none;
	const char *why = anchor_key_reload(sign.key_file); /* sladesk key rotate --anchors */

	if (why)
		log_warn(NULL, "audit.key_file cannot be read again file=%s why=%s", sign.key_file,
			why);
	sign.run = run;
	sign.tip[0] = 0;
	sign.tip_no = sign.seen_no = 0;
	sign.more = false;
	buf_free(&sign.in_file);
	buf_free(&sign.lines);
	buf_free(&sign.rows);
	buf_free(&sign.log);
	ask_file(&none, &none, on_last);
}
