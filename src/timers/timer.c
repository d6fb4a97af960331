/* SPDX-License-Identifier: Apache-2.0
 * A due timer row. Its consequence is an ordinary command. */
#include "base/log.h"
#include "base/magic.h"
#include "desk/command.h"
#include "inner.h"
#include "loop/loop.h"
#include "sql_gen.h"

#include <stdio.h>
#include <stdlib.h>

#define TRIES_MAX 12 /* takes about 25 minutes */

struct timer_run {
	uint32_t magic;
	struct db_call db;
	struct ticket_call call;
	int64_t tenant_id, id, due_us;
};
MAGIC(timer_run, 0x738334cf);

static const struct {
	const char *kind;
	enum ticket_command cmd;
	const char *reason;
} timer_kinds[] = {
	{ "auto-close", CMD_AUTO_CLOSE, NULL },
	{ "remind-close-1", CMD_REMIND_CLOSE, NULL },
	{ "remind-close-2", CMD_REMIND_CLOSE, NULL },
	{ "wake", CMD_RESUME, "the scheduled time has been reached / 已到预定时间" },
	{ "p0-unconfirmed", CMD_P0_UNCONFIRMED, NULL },
	{ "report-due", CMD_REPORT_DUE, NULL },
	{ "escalation-late", CMD_ESCALATION_LATE, NULL },
	{ "rca-reminder", CMD_RCA_REMINDER, NULL },
	{ "rca-overdue", CMD_RCA_OVERDUE, NULL },
};

/* Try the timer again without counting an attempt, because the database is down or the timer is not
 * due yet. */
static void timer_later(struct timer_run *r, int64_t at_us)
{
	deadline_recheck_timer(r->tenant_id, r->id, at_us);
	free(r);
}

/* Run a statement about the timer. Only timer_retry has the number of attempts as a parameter. */
static void timer_query(struct timer_run *r, const struct sql_stmt *stmt,
	void (*on_done)(struct db_call *db, enum db_error error, const PGresult *rows))
{
	r->db = (struct db_call){
		.stmt = stmt, .ctx.role = DB_ROLE_JOB, .on_done = on_done, .arg = r
	};
	db_call_int(&r->db, 0, r->tenant_id);
	db_call_int(&r->db, 1, r->id);
	if (stmt == &sql_sla_timer_retry)
		db_call_int(&r->db, 2, TRIES_MAX);
	db_exec(&r->db);
}

static int64_t soon_us(void)
{
	return clock_now_us() + (int64_t)((double)US_PER_S * clock_scale());
}

static void on_timer_cancelled(struct db_call *db, enum db_error error, const PGresult *rows)
{
	struct timer_run *r = magic_cast(timer_run, db->arg);

	(void)rows;
	if (error != DB_OK) {
		timer_later(r, soon_us());
		return;
	}
	deadline_forget_timer(r->id);
	free(r);
}

static void timer_cancel(struct timer_run *r)
{
	timer_query(r, &sql_sla_timer_cancel, on_timer_cancelled);
}

static void on_timer_counted(struct db_call *db, enum db_error error, const PGresult *rows)
{
	struct timer_run *r = magic_cast(timer_run, db->arg);
	struct str kind;

	if (error != DB_OK) {
		timer_later(r, soon_us());
		return;
	}
	if (PQntuples(rows) == 0 || !str_is(db_text(rows, 0, 1), "failed")) {
		if (PQntuples(rows))
			deadline_park_timer(
				r->tenant_id, r->id, r->due_us, (unsigned)db_int(rows, 0, 0));
		else
			deadline_forget_timer(r->id);
		free(r);
		return;
	}
	kind = db_text(rows, 0, 2);
	log_error(NULL, "timer given up tenant=%lld timer=%lld kind=%.*s tries=%lld",
		(long long)r->tenant_id, (long long)r->id, (int)kind.n, kind.p,
		(long long)db_int(rows, 0, 0));
	engine.health.timers_failed++;
	deadline_forget_timer(r->id);
	free(r);
}

/* Retry at growing intervals. After TRIES_MAX attempts the timer gets the state failed; an operator
 * sees it and can reset it. */
static void timer_failed(struct timer_run *r)
{
	timer_query(r, &sql_sla_timer_retry, on_timer_counted);
}

static void on_timer_done(struct ticket_call *call, enum call_result result)
{
	struct timer_run *r = magic_cast(timer_run, call->arg);

	switch (result) {
	case CALL_OK:
	case CALL_GONE:
		engine.health.fired++;
		deadline_forget_timer(r->id);
		free(r);
		return;
	case CALL_WRONG_STATE:
	case CALL_WRONG_ACTOR:
	case CALL_NOT_FOUND:
	case CALL_BAD_REFERENCE:
	case CALL_NO_PRIORITY:
	case CALL_WRONG_VERSION:
	case CALL_REPLAYED:
	case CALL_KEY_REUSED:
	case CALL_IN_FLIGHT:
	case CALL_NO_CHOICE:
	case CALL_NO_BREACH:
	case CALL_BAD_INSTANT:
	case CALL_NOT_PROPOSED:
	case CALL_SAME_PERSON:
		timer_cancel(r); /* it no longer applies */
		return;
	case CALL_BUSY:
		timer_failed(r);
		return;
	case CALL_DB:
		if (db_is_away(call->db_error))
			timer_later(r, soon_us());
		else
			timer_failed(r);
		return;
	}
}

static void on_timer_loaded(struct db_call *db, enum db_error error, const PGresult *rows)
{
	struct timer_run *r = magic_cast(timer_run, db->arg);
	struct str kind;

	if (error != DB_OK) {
		if (db_is_away(error))
			timer_later(r, soon_us());
		else
			timer_failed(r);
		return;
	}
	if (PQntuples(rows) == 0) {
		deadline_forget_timer(r->id);
		free(r);
		return;
	}
	r->due_us = db_int(rows, 0, 2);
	if (r->due_us > clock_now_us()) { /* moved meanwhile */
		deadline_forget_timer(r->id);
		timer_later(r, r->due_us);
		return;
	}
	kind = db_text(rows, 0, 0);
	for (size_t i = 0; i < ARRAY_LEN(timer_kinds); i++)
		if (str_is(kind, timer_kinds[i].kind)) {
			r->call = (struct ticket_call){ .cmd = timer_kinds[i].cmd,
				.actor = ACTOR_SYSTEM,
				.ctx.role = DB_ROLE_JOB,
				.tenant_id = r->tenant_id,
				.ticket_id = db_int(rows, 0, 1),
				.text = timer_kinds[i].reason,
				.timer_id = r->id,
				.on_done = on_timer_done,
				.arg = r };
			ticket_command(&r->call);
			return;
		}
	timer_failed(r); /* most likely written by a newer program, which may be running at the same
			    time */
}

void timer_start(int64_t tenant_id, int64_t id)
{
	struct timer_run *r = magic_new(timer_run);

	r->tenant_id = tenant_id;
	r->id = id;
	r->due_us = clock_now_us();
	timer_query(r, &sql_sla_timer_load, on_timer_loaded);
}
