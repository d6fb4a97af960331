/* SPDX-License-Identifier: Apache-2.0
 * A calendar version that only adds dates after today (next year's holidays are published in
 * November) takes over open tickets automatically, each by its own audited command (sla.md 1). The
 * work is looked up in the tables until none is left, so a restart loses nothing. */
#include "db/db.h"
#include "base/log.h"
#include "desk/command.h"
#include "desk/upkeep.h"
#include "sql_gen.h"

#include <stdlib.h>

#define LOGGED_MAX 20 /* failures of one pass that are logged with their ticket */

static struct {
	struct job_run *run;
	int working;                        /* commands in progress */
	int64_t after_tenant, after_ticket; /* the pass through the tickets has come so far */
	int failed;                         /* in this pass */
	int missing;                        /* calendars without dates for next year */
} rebind;

int rebind_missing_calendars(void)
{
	return rebind.missing;
}

static void on_rebound(struct ticket_call *call, enum call_result result)
{
	if (result != CALL_OK && result != CALL_WRONG_STATE && result != CALL_NOT_FOUND) {
		if (rebind.failed++ < LOGGED_MAX)
			log_warn(NULL, "rebind failed tenant=%lld ticket=%lld",
				(long long)call->tenant_id, (long long)call->ticket_id);
	}
	free(call);
	if (--rebind.working == 0)
		job_end(rebind.run, JOB_MORE);
}

static void start_rebind(int64_t tenant_id, int64_t ticket_id, int64_t calendar_id)
{
	struct ticket_call *call = xcalloc(1, sizeof(*call));

	*call = (struct ticket_call){ .cmd = CMD_REBIND,
		.actor = ACTOR_SYSTEM,
		.ctx.role = DB_ROLE_JOB,
		.tenant_id = tenant_id,
		.ticket_id = ticket_id,
		.calendar_id = calendar_id,
		.text = "dates were added to the calendar / 日历增加了日期",
		.on_done = on_rebound };
	rebind.working++;
	ticket_command(call);
}

static void on_all_done(struct job_run *run, enum db_error error, const PGresult *rows)
{
	for (int i = 0; error == DB_OK && i < PQntuples(rows); i++)
		log_info(NULL, "calendar changed; tickets rebound id=%lld",
			(long long)db_int(rows, i, 0));
	if (rebind.failed)
		log_warn(NULL, "%d tickets were not rebound; they are tried again", rebind.failed);
	if (error == DB_OK && rebind.failed)
		job_end(run, JOB_FAILED);
	else
		job_end_db(run, error);
	rebind.failed = 0;
}

static void on_next(struct job_run *run, enum db_error error, const PGresult *rows)
{
	if (error != DB_OK) {
		job_end_db(run, error);
		return;
	}
	if (PQntuples(rows) == 0) { /* the end of the pass */
		rebind.after_tenant = rebind.after_ticket = 0;
		job_param_int(run, 0, clock_now_us());
		job_query(run, &sql_sla_rebind_done, on_all_done);
		return;
	}
	rebind.after_tenant = db_int(rows, PQntuples(rows) - 1, 0);
	rebind.after_ticket = db_int(rows, PQntuples(rows) - 1, 1);
	for (int i = 0; i < PQntuples(rows); i++)
		start_rebind(db_int(rows, i, 0), db_int(rows, i, 1), db_int(rows, i, 2));
}

/* Each ticket is tried once in a pass, so that those which cannot be rebound hold up no others. */
void rebind_run(struct job_run *run)
{
	rebind.run = run;
	job_param_int(run, 0, rebind.after_tenant);
	job_param_int(run, 1, rebind.after_ticket);
	job_query(run, &sql_sla_rebind_next, on_next);
}

/* --- next year's dates --- */

static void on_gaps(struct job_run *run, enum db_error error, const PGresult *rows)
{
	int n = error == DB_OK ? PQntuples(rows) : 0;

	if (error == DB_OK)
		rebind.missing = n ? (int)db_int(rows, 0, 2) : 0;
	for (int i = 0; i < n; i++) {
		struct str code = db_text(rows, i, 1);

		log_warn(NULL, "calendar has no dates for next year tenant=%lld code=%.*s",
			(long long)db_int(rows, i, 0), (int)code.n, code.p);
	}
	if (n && n < rebind.missing)
		log_warn(NULL, "and %d more calendars have no dates for next year",
			rebind.missing - n);
	job_end_db(run, error);
}

/* In December, every calendar with holidays in this year should have holidays for next year. */
void rebind_look_for_gaps(struct job_run *run)
{
	int64_t y;
	unsigned m, d;

	civil_from_days(clock_now_us() / US_PER_S / 86400, &y, &m, &d);
	if (m != 12) {
		rebind.missing = 0;
		job_end(run, JOB_DONE);
		return;
	}
	job_param_int(run, 0, y + 1);
	job_query(run, &sql_sla_calendar_gaps, on_gaps);
}
