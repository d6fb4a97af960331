/* SPDX-License-Identifier: Apache-2.0
 * A timer row that is due: its consequence is a command like any other. */
#include "desk/command.h"
#include "inner.h"
#include "loop/loop.h"
#include "sql_gen.h"

#include <stdio.h>
#include <stdlib.h>

struct timer_run {
	struct db_call db;
	struct ticket_call call;
	int64_t tenant_id, id;
	char t[24], i[24];
};

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
};

static void on_timer_ended(struct db_call *db, enum db_error error, const PGresult *rows)
{
	struct timer_run *r = db->arg;

	(void)rows;
	if (error != DB_OK)
		deadline_recheck_timer(r->tenant_id, r->id, clock_now_us() + US_PER_S);
	free(r);
}

static void timer_end(struct timer_run *r, const char *state)
{
	r->db = (struct db_call){ .stmt = &sql_sla_timer_fail,
		.param = { r->t, r->i, state },
		.on_done = on_timer_ended,
		.arg = r };
	db_exec(&r->db);
}

static void on_timer_done(struct ticket_call *call, enum call_result result)
{
	struct timer_run *r = call->arg;

	switch (result) {
	case CALL_OK:
	case CALL_GONE:
		engine.health.fired++;
		free(r);
		return;
	case CALL_WRONG_STATE:
	case CALL_WRONG_ACTOR:
	case CALL_NOT_FOUND:
	case CALL_NO_PRIORITY:
	case CALL_WRONG_VERSION:
	case CALL_REPLAYED:
	case CALL_KEY_REUSED:
	case CALL_NO_CHOICE:
	case CALL_NO_BREACH:
	case CALL_NOT_PROPOSED:
	case CALL_SAME_PERSON:
		timer_end(r, "cancelled"); /* it no longer applies */
		return;
	case CALL_BUSY:
	case CALL_DB:
		deadline_recheck_timer(r->tenant_id, r->id, clock_now_us() + US_PER_S);
		free(r);
		return;
	}
}

static void on_timer_loaded(struct db_call *db, enum db_error error, const PGresult *rows)
{
	struct timer_run *r = db->arg;
	struct str kind;

	if (error != DB_OK) {
		deadline_recheck_timer(r->tenant_id, r->id, clock_now_us() + US_PER_S);
		free(r);
		return;
	}
	if (PQntuples(rows) == 0) {
		free(r);
		return;
	}
	if (db_int(rows, 0, 2) > clock_now_us()) { /* moved meanwhile */
		deadline_recheck_timer(r->tenant_id, r->id, db_int(rows, 0, 2));
		free(r);
		return;
	}
	kind = db_text(rows, 0, 0);
	for (size_t i = 0; i < ARRAY_LEN(timer_kinds); i++)
		if (str_is(kind, timer_kinds[i].kind)) {
			r->call = (struct ticket_call){ .cmd = timer_kinds[i].cmd,
				.actor = ACTOR_SYSTEM,
				.tenant_id = r->tenant_id,
				.ticket_id = db_int(rows, 0, 1),
				.text = timer_kinds[i].reason,
				.timer_id = r->id,
				.on_done = on_timer_done,
				.arg = r };
			ticket_command(&r->call);
			return;
		}
	timer_end(r, "failed");
}

void timer_start(int64_t tenant_id, int64_t id)
{
	struct timer_run *r = xcalloc(1, sizeof(*r));

	r->tenant_id = tenant_id;
	r->id = id;
	snprintf(r->t, sizeof(r->t), "%lld", (long long)tenant_id);
	snprintf(r->i, sizeof(r->i), "%lld", (long long)id);
	r->db = (struct db_call){ .stmt = &sql_sla_timer_load,
		.param = { r->t, r->i },
		.on_done = on_timer_loaded,
		.arg = r };
	db_exec(&r->db);
}
