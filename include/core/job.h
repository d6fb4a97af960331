/* SPDX-License-Identifier: Apache-2.0
 * Periodic work, as rows of whoever owns it. The runner keeps the timers, never starts a job that
 * is still running, retries a failed one with back-off, lets one instance at a time do what is
 * claimed, and counts. A job that a person would miss (a reminder, a schedule) is a row of table
 * timers instead. */
#ifndef SLADESK_CORE_JOB_H
#define SLADESK_CORE_JOB_H

#include "db/db.h"

enum job_result {
	JOB_DONE,   /* nothing is left until the next period */
	JOB_MORE,   /* there is more to do: run again in a moment */
	JOB_FAILED, /* try again with back-off */
};

struct job_run;

struct job {
	const char *name;       /* of the metric's label and the log; NULL ends a table */
	int64_t every_ms;       /* from the end of a run to the next; 0: every() says */
	int64_t (*every)(void); /* the same by the present settings; 0: switched off */
	int64_t more_ms;        /* between two parts of a run (JOB_MORE); 0: 100 */
	int jitter_percent;     /* of the period, added at random */
	bool claim;             /* one instance at a time, due by the table job_claims */
	bool at_start;          /* the first run comes at once, not after a period */
	/* Begin the work; job_end must follow exactly once, in this call or later. */
	void (*run)(struct job_run *run);
};

/* A run. The call and its parameters are the job's to use, one statement at a time. */
struct job_run {
	const struct job *job;
	struct db_call call;
	char text[SQL_PARAMS_MAX][24];
	void (*on_rows)(struct job_run *run, enum db_error error, const PGresult *rows);
};

/* Take over TABLE, which ends with a row without a name. Rows run from the next turn on. */
void jobs_add(const struct job *table);
/* Start nothing more. */
void jobs_stop(void);
/* Is any job running, or asking the database? */
bool jobs_busy(void);
/* After the database was closed. */
void jobs_free(void);
/* Run JOB soon; if it runs now, once more after that. */
void job_wake(const struct job *job);

/* The run has ended. */
void job_end(struct job_run *run, enum job_result result);
/* Set parameter I (from 0) of the next statement. */
void job_param_int(struct job_run *run, int i, int64_t v);
/* The same with text, which must live until the statement has ended; NULL is SQL null. */
void job_param_text(struct job_run *run, int i, const char *text);
/* Run STMT with the parameters set since the last one, then ON_ROWS, on a later turn. */
void job_query(struct job_run *run, const struct sql_stmt *stmt,
	void (*on_rows)(struct job_run *run, enum db_error error, const PGresult *rows));
/* The end of a run that was one statement: JOB_FAILED with a log line unless ERROR is DB_OK. */
void job_end_db(struct job_run *run, enum db_error error);

struct job_health {
	const char *name;
	bool running;
	uint64_t runs, failed;    /* ended; of those, failed */
	int64_t last_ok_us;       /* by the wall clock; 0: not since the start */
	int64_t last_duration_us; /* of the last run that ended */
};
/* Call FN for each job that was added. */
void jobs_each(void (*fn)(void *arg, const struct job_health *h), void *arg);

#endif
