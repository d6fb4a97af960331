/* SPDX-License-Identifier: Apache-2.0
 * Each job has a slot: it waits, asks for its claim, runs, or releases the claim. */
#include "core/job.h"
#include "base/magic.h"
#include "base/clock.h"
#include "base/log.h"
#include "crypto/crypto.h"
#include "loop/loop.h"
#include "sql_gen.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#define MORE_MS 100 /* pause between two parts of a job, so that other work comes first */
#define CLAIM_US (600 * US_PER_S) /* how long the others wait for an instance that died */
#define CLAIM_LOOK_US                                                                              \
	(60 * US_PER_S) /* another instance runs it, or has run it: look again after this */
#define BACKOFF_MAX_US (300 * US_PER_S)
#define TOLD_US (60 * US_PER_S)

enum slot_state { SLOT_WAITING, SLOT_CLAIMING, SLOT_RUNNING, SLOT_RELEASING };

struct slot {
	uint32_t magic;
	struct job_run run;
	enum slot_state state;
	enum job_result result;
	struct job_health health;
	struct loop_timer *timer;
	int64_t began_us, due_us; /* due_us: while it waits */
	int64_t told_us;
	int failures; /* in a row */
	bool asked;   /* job_wake was called while it ran */
	struct slot *next;
};
MAGIC(slot, 0xc3ae6b81);

static struct {
	struct slot *first;
	bool stopping;
	char me[33];
} jobs;

static struct slot *slot_of(struct job_run *run)
{
	return magic_cast(slot, (char *)run - offsetof(struct slot, run));
}

static int64_t period_us(const struct job *job)
{
	return (job->every ? job->every() : job->every_ms) * 1000;
}

static int64_t jittered(const struct job *job, int64_t us)
{
	uint32_t r;

	crypto_random(&r, sizeof(r));
	return us + us / 100 * job->jitter_percent * (r % 1000) / 1000;
}

static void wait_for(struct slot *s, int64_t us)
{
	s->state = SLOT_WAITING;
	s->due_us = clock_mono_us() + us;
	if (!jobs.stopping)
		loop_timer_set(s->timer, us);
}

static void start(struct slot *s)
{
	s->state = SLOT_RUNNING;
	s->asked = false;
	s->began_us = clock_mono_us();
	s->run.job->run(&s->run);
}

static void on_claimed(struct job_run *run, enum db_error error, const PGresult *rows)
{
	struct slot *s = slot_of(run);
	int64_t period = period_us(run->job);

	if (jobs.stopping)
		s->state = SLOT_WAITING;
	else if (error == DB_OK && PQntuples(rows) == 1)
		start(s);
	else
		wait_for(s, error == DB_OK ? (period < CLAIM_LOOK_US ? period : CLAIM_LOOK_US)
					   : US_PER_S);
}

static void on_due(void *arg)
{
	struct slot *s = magic_cast(slot, arg);
	int64_t period = period_us(s->run.job), now = clock_now_us();

	if (jobs.stopping || s->state != SLOT_WAITING)
		return;
	if (!period) { /* switched off; look again, because the settings may change */
		wait_for(s, CLAIM_LOOK_US);
		return;
	}
	if (!s->run.job->claim) {
		start(s);
		return;
	}
	s->state = SLOT_CLAIMING;
	job_param_text(&s->run, 0, s->run.job->name);
	job_param_text(&s->run, 1, jobs.me);
	job_param_int(&s->run, 2, now);
	job_param_int(&s->run, 3, period);
	job_param_int(&s->run, 4, now + CLAIM_US);
	job_query(&s->run, &sql_job_claim, on_claimed);
}

/* The delay doubles with each failure in a row, from one second to the period, five minutes at
 * most. */
static int64_t backoff_us(const struct slot *s, int64_t period)
{
	int64_t us = s->failures < 10 ? US_PER_S << (s->failures - 1) : BACKOFF_MAX_US,
		most = period < BACKOFF_MAX_US ? period : BACKOFF_MAX_US;

	return us < most ? us : most;
}

static void rest(struct slot *s)
{
	int64_t period = period_us(s->run.job);

	if (s->result == JOB_FAILED)
		wait_for(s, backoff_us(s, period));
	else if (s->asked)
		wait_for(s, s->run.job->gather_ms * 1000);
	else if (s->result == JOB_MORE)
		wait_for(s, (s->run.job->more_ms ? s->run.job->more_ms : MORE_MS) * 1000);
	else
		wait_for(s, jittered(s->run.job, period ? period : CLAIM_LOOK_US));
}

static void on_released(struct job_run *run, enum db_error error, const PGresult *rows)
{
	(void)error; /* a claim that is not released expires */
	(void)rows;
	rest(slot_of(run));
}

void job_end(struct job_run *run, enum job_result result)
{
	struct slot *s = slot_of(run);

	bug_on(s->state != SLOT_RUNNING);
	s->result = result;
	s->health.runs++;
	s->health.last_duration_us = clock_mono_us() - s->began_us;
	if (result == JOB_FAILED) {
		s->failures++;
		s->health.failed++;
	} else {
		s->failures = 0;
		s->health.last_ok_us = clock_now_us();
	}
	if (!run->job->claim || result == JOB_MORE || jobs.stopping) {
		rest(s);
		return;
	}
	s->state = SLOT_RELEASING;
	job_param_text(run, 0, run->job->name);
	job_param_text(run, 1, jobs.me);
	job_param_int(run, 2, clock_now_us());
	job_param_text(run, 3, result == JOB_DONE ? "true" : "false");
	job_query(run, &sql_job_done, on_released);
}

void job_end_db(struct job_run *run, enum db_error error)
{
	struct slot *s = slot_of(run);
	int64_t now = clock_mono_us();

	if (error != DB_OK && (!s->failures || now - s->told_us > TOLD_US)) {
		s->told_us = now;
		db_log(LOG_WARN, NULL, error, "job failed name=%s err=%s; will retry",
			run->job->name, db_error_name(error));
	}
	job_end(run, error == DB_OK ? JOB_DONE : JOB_FAILED);
}

/* --- statements --- */

void job_param_int(struct job_run *run, int i, int64_t v)
{
	db_call_int(&run->call, i, v);
}

void job_param_text(struct job_run *run, int i, const char *text)
{
	run->call.param[i] = text;
}

static void on_rows(struct db_call *call, enum db_error error, const PGresult *rows)
{
	struct job_run *run = magic_cast(job_run, call->arg);

	for (int i = 0; i < SQL_PARAMS_MAX; i++)
		call->param[i] = NULL;
	run->on_rows(run, error, rows);
}

void job_query(struct job_run *run, const struct sql_stmt *stmt,
	void (*fn)(struct job_run *run, enum db_error error, const PGresult *rows))
{
	run->on_rows = fn;
	run->call.stmt = stmt;
	run->call.ctx.role = DB_ROLE_JOB;
	run->call.on_done = on_rows;
	run->call.arg = run;
	db_exec(&run->call);
}

/* --- the register --- */

void jobs_add(const struct job *table)
{
	if (!jobs.me[0])
		crypto_random_hex(jobs.me, 16);
	for (; table && table->name; table++) {
		struct slot *s = magic_new(slot);

		magic_set(&s->run, job_run_magic);
		s->run.job = table;
		s->health.name = table->name;
		s->timer = loop_timer_new(on_due, s);
		s->next = jobs.first;
		jobs.first = s;
		wait_for(s, table->at_start ? 0 : jittered(table, period_us(table)));
	}
}

void job_wake(const struct job *job)
{
	int64_t gather_us = job->gather_ms * 1000;
	struct slot *s = jobs.first;

	while (s && s->run.job != job)
		s = s->next;
	if (!s)
		return;
	if (s->state != SLOT_WAITING)
		s->asked = true;
	else if (clock_mono_us() + gather_us < s->due_us)
		wait_for(s, gather_us);
}

void jobs_stop(void)
{
	jobs.stopping = true;
	for (struct slot *s = jobs.first; s; s = s->next)
		loop_timer_cancel(s->timer);
}

bool jobs_busy(void)
{
	for (const struct slot *s = jobs.first; s; s = s->next)
		if (s->state != SLOT_WAITING)
			return true;
	return false;
}

void jobs_free(void)
{
	for (struct slot *s = jobs.first, *next; s; s = next) {
		next = s->next;
		loop_timer_free(s->timer);
		free(s);
	}
	jobs.first = NULL;
}

void jobs_each(void (*fn)(void *arg, const struct job_health *h), void *arg)
{
	for (struct slot *s = jobs.first; s; s = s->next) {
		s->health.running = s->state == SLOT_RUNNING;
		fn(arg, &s->health);
	}
}
