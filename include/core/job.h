/* SPDX-License-Identifier: Apache-2.0
 * Periodic work as rows of its owner. The runner keeps the timers, never starts a job that is still
 * running, retries a failed job with back-off, runs claimed jobs on one instance at a time, and
 * counts. Work that a person would miss (a reminder, a schedule) is a row in the table timers
 * instead. */
#ifndef SLADESK_CORE_JOB_H
#define SLADESK_CORE_JOB_H

#include "db/db.h"

enum job_result {
	JOB_DONE,   /* done until the next period */
	JOB_MORE,   /* more to do: run again soon */
	JOB_FAILED, /* try again with back-off */
};

struct job_run;

struct job {
	const char *name;       /* for the label of the metric and the log; NULL ends a table */
	int64_t every_ms;       /* from the end of one run to the next; 0: use every() */
	int64_t (*every)(void); /* the same, from the current settings; 0: switched off */
	int64_t more_ms;        /* between two parts of a run (JOB_MORE); 0: 100 */
	int64_t gather_ms;      /* from job_wake to the run, so that more can join it */
	int jitter_percent;     /* random addition, as a share of the period */
	bool claim;             /* on one instance at a time, due by the table job_claims */
	bool at_start;          /* the first run starts at once, not after a period */
	/* Start the work. job_end must follow exactly once, in this call or later. */
	void (*run)(struct job_run *run);
};

/* A run. The job may use its call and parameters, one statement at a time. */
struct job_run {
	uint32_t magic;
	const struct job *job;
	struct db_call call;
	void (*on_rows)(struct job_run *run, enum db_error error, const PGresult *rows);
};
MAGIC(job_run, 0xf7a3790d);

/* Register TABLE, which ends with a row without a name. Its jobs run from the next turn on. */
void jobs_add(const struct job *table);
/* Start nothing new. */
void jobs_stop(void);
/* Is any job running, or asking the database? */
bool jobs_busy(void);
/* Free everything, after the database has been closed. */
void jobs_free(void);
/* Run JOB, a row of a registered table, now or after its gather_ms, because there is work for it.
 * Further calls until then change nothing. If it is running now, run it once more afterwards. */
void job_wake(const struct job *job);

/* End the run. RUN must not be used any more. */
void job_end(struct job_run *run, enum job_result result);
/* Set parameter I (counted from 0) of the next statement. */
void job_param_int(struct job_run *run, int i, int64_t v);
/* The same with text, which must live until the statement has ended; NULL is SQL null. */
void job_param_text(struct job_run *run, int i, const char *text);
/* Run STMT with the parameters set since the last statement, then call ON_ROWS on a later turn. */
void job_query(struct job_run *run, const struct sql_stmt *stmt,
	void (*on_rows)(struct job_run *run, enum db_error error, const PGresult *rows));
/* End a run that consists of one statement: JOB_FAILED unless ERROR is DB_OK. The first failure is
 * logged, and later ones once a minute. */
void job_end_db(struct job_run *run, enum db_error error);

struct job_health {
	const char *name;
	bool running;
	uint64_t runs, failed;    /* runs that ended, and how many of them failed */
	int64_t last_ok_us;       /* by the wall clock; 0: not since the start */
	int64_t last_duration_us; /* duration of the last run that ended */
};
/* Call FN for each registered job. */
void jobs_each(void (*fn)(void *arg, const struct job_health *h), void *arg);

#endif
