/* SPDX-License-Identifier: Apache-2.0
 * A calendar version that only adds dates after today (next year's holidays are published in
 * November) takes over running tickets by itself, each by its own audited command (sla.md 1). The
 * work is found in the tables again and again until none is left, so a restart loses nothing. */
#include "db/db.h"
#include "base/log.h"
#include "desk/command.h"
#include "desk/upkeep.h"
#include "loop/loop.h"
#include "sql_gen.h"

#include <stdio.h>
#include <stdlib.h>

#define LOOK_MS 5000
#define GAPS_MS (6 * 3600 * 1000)

static struct db_call next_call, done_call, gaps_call;
static char done_now[24], gaps_year[24];
static int working, missing;
static bool looking, failed, gaps_asked, running;

struct one {
	struct ticket_call call;
};

static void look(void *arg);

int rebind_missing_calendars(void)
{
	return missing;
}

static void on_rebound(struct ticket_call *call, enum call_result result)
{
	if (result != CALL_OK && result != CALL_WRONG_STATE && result != CALL_NOT_FOUND) {
		failed = true;
		log_warn(NULL, "rebind waits tenant=%lld ticket=%lld", (long long)call->tenant_id,
			(long long)call->ticket_id);
	}
	free(call->arg);
	if (--working == 0 &&
		!failed) /* after a failure the next tick looks again, not this turn */
		look(NULL);
}

static void start(int64_t tenant_id, int64_t ticket_id, int64_t calendar_id)
{
	struct one *o = xcalloc(1, sizeof(*o));

	o->call = (struct ticket_call){ .cmd = CMD_REBIND,
		.actor = ACTOR_SYSTEM,
		.tenant_id = tenant_id,
		.ticket_id = ticket_id,
		.calendar_id = calendar_id,
		.text = "the calendar gained dates / 日历增加了日期",
		.on_done = on_rebound,
		.arg = o };
	working++;
	ticket_command(&o->call);
}

static void on_all_done(struct db_call *call, enum db_error error, const PGresult *rows)
{
	(void)call;
	looking = false;
	for (int i = 0; error == DB_OK && i < PQntuples(rows); i++)
		log_info(NULL, "calendar taken over id=%lld", (long long)db_int(rows, i, 0));
}

static void on_next(struct db_call *call, enum db_error error, const PGresult *rows)
{
	(void)call;
	if (error == DB_OK && PQntuples(rows) == 0) {
		snprintf(done_now, sizeof(done_now), "%lld", (long long)clock_now_us());
		done_call = (struct db_call){
			.stmt = &sql_sla_rebind_done, .param = { done_now }, .on_done = on_all_done
		};
		db_exec(&done_call);
		return;
	}
	looking = false;
	for (int i = 0; error == DB_OK && i < PQntuples(rows); i++)
		start(db_int(rows, i, 0), db_int(rows, i, 1), db_int(rows, i, 2));
}

static void look(void *arg)
{
	(void)arg;
	if (looking || working || !running)
		return;
	looking = true;
	failed = false;
	next_call = (struct db_call){ .stmt = &sql_sla_rebind_next, .on_done = on_next };
	db_exec(&next_call);
}

static void on_gaps(struct db_call *call, enum db_error error, const PGresult *rows)
{
	(void)call;
	gaps_asked = false;
	if (error != DB_OK)
		return;
	missing = PQntuples(rows);
	for (int i = 0; i < missing; i++) {
		struct str code = db_text(rows, i, 1);

		log_warn(NULL, "calendar has no dates of next year tenant=%lld code=%.*s year=%s",
			(long long)db_int(rows, i, 0), (int)code.n, code.p, gaps_year);
	}
}

/* In December whoever has holidays this year wants to have next year's. */
static void look_for_gaps(void *arg)
{
	int64_t y;
	unsigned m, d;

	(void)arg;
	civil_from_days(clock_now_us() / US_PER_S / 86400, &y, &m, &d);
	if (m != 12 || gaps_asked || !running) {
		missing = m == 12 ? missing : 0;
		return;
	}
	gaps_asked = true;
	snprintf(gaps_year, sizeof(gaps_year), "%d", (int)y + 1);
	gaps_call = (struct db_call){
		.stmt = &sql_sla_calendar_gaps, .param = { gaps_year }, .on_done = on_gaps
	};
	db_exec(&gaps_call);
}

void rebind_init(void)
{
	running = true;
	loop_every(LOOK_MS, look, NULL);
	loop_every(GAPS_MS, look_for_gaps, NULL);
	look_for_gaps(NULL);
}

void rebind_free(void)
{
	running = false;
}
