/* SPDX-License-Identifier: Apache-2.0
 * Jobs without a claim, which need no database: when a run starts after a period, a wake, a part of
 * a run, and a failure. */
#include "base/clock.h"
#include "core/job.h"
#include "loop/loop.h"
#include "unit.h"

#define HOUR_MS (3600 * 1000)
#define GATHER_MS 40

static struct loop_timer *limit;
static int64_t began_us, first_us; /* when the test began, and its first run started, after that */
static int runs;
static enum job_result result;
static struct job_run *open_run;

static void count_run(void)
{
	if (!runs++)
		first_us = clock_mono_us() - began_us;
}

static void run_and_end(struct job_run *run)
{
	count_run();
	job_end(run, result);
}

static void run_until_ended(struct job_run *run)
{
	count_run();
	open_run = run;
}

static const struct job rare[] = {
	{ "rare", HOUR_MS, .gather_ms = GATHER_MS, .run = run_and_end },
	{ 0 },
};
static const struct job at_once[] = {
	{ "at_once", HOUR_MS, .more_ms = 5, .at_start = true, .run = run_and_end },
	{ 0 },
};
static const struct job lasting[] = {
	{ "lasting", HOUR_MS, .at_start = true, .run = run_until_ended },
	{ 0 },
};

static void on_limit(void *arg)
{
	(void)arg;
	loop_stop();
}

static void run_for(int64_t ms)
{
	loop_timer_set(limit, ms * 1000);
	loop_run();
}

static void begin(const struct job *table, enum job_result how)
{
	if (!limit) {
		loop_init();
		limit = loop_timer_new(on_limit, NULL);
	}
	jobs_free();
	runs = 0;
	result = how;
	began_us = clock_mono_us();
	jobs_add(table);
}

static void a_wake_runs_it_soon(void)
{
	begin(rare, JOB_DONE);
	run_for(100);
	CU_ASSERT_EQUAL(runs, 0); /* its period is an hour */
	began_us = clock_mono_us();
	for (int i = 0; i < 10; i++)
		job_wake(rare);
	run_for(300);
	CU_ASSERT_EQUAL(runs, 1); /* one run for all of them, after they could gather */
	CU_ASSERT(first_us >= GATHER_MS * 1000);
	job_wake(rare);
	run_for(300);
	CU_ASSERT_EQUAL(runs, 2);
}

static void wake_again(void *arg)
{
	job_wake(rare);
	if (clock_mono_us() - began_us < 600000)
		loop_timer_set(*(struct loop_timer **)arg, 5000);
}

/* Events that never stop must not put off the run that they want. */
static void steady_wakes_do_not_postpone(void)
{
	struct loop_timer *t;

	begin(rare, JOB_DONE);
	t = loop_timer_new(wake_again, &t);
	loop_timer_set(t, 0);
	run_for(700);
	CU_ASSERT(runs >= 3);
	CU_ASSERT(runs <= 600 / GATHER_MS + 1);
	loop_timer_free(t);
}

static void a_wake_during_a_run_leads_to_one_more(void)
{
	begin(lasting, JOB_DONE);
	run_for(50);
	CU_ASSERT_EQUAL(runs, 1);
	job_wake(lasting);
	job_wake(lasting);
	run_for(50);
	CU_ASSERT_EQUAL(runs, 1);
	CU_ASSERT(jobs_busy());
	job_end(open_run, JOB_DONE);
	run_for(50);
	CU_ASSERT_EQUAL(runs, 2);
	job_end(open_run, JOB_DONE);
	run_for(50);
	CU_ASSERT_EQUAL(runs, 2);
	CU_ASSERT_FALSE(jobs_busy());
}

/* A wake during the failed run is served by the retry. A later wake is new work, and does not wait
 * for the back-off. */
static void a_failed_run_backs_off(void)
{
	begin(lasting, JOB_DONE);
	run_for(50);
	job_wake(lasting);
	job_end(open_run, JOB_FAILED);
	run_for(300);
	CU_ASSERT_EQUAL(runs, 1);
	job_wake(lasting);
	run_for(50);
	CU_ASSERT_EQUAL(runs, 2);
	job_end(open_run, JOB_FAILED);
	run_for(3000); /* after two seconds, because it is the second failure */
	CU_ASSERT_EQUAL(runs, 3);
	job_end(open_run, JOB_DONE);
}

static void parts_of_a_run(void)
{
	begin(at_once, JOB_MORE);
	run_for(200);
	CU_ASSERT(runs > 3);
	result = JOB_DONE;
	run_for(50);
	runs = 0;
	run_for(100);
	CU_ASSERT_EQUAL(runs, 0);
}

static void after_the_stop_nothing_starts(void)
{
	begin(rare, JOB_DONE);
	jobs_stop();
	job_wake(rare);
	run_for(100);
	CU_ASSERT_EQUAL(runs, 0);
	CU_ASSERT_FALSE(jobs_busy());
	jobs_free();
}

UNIT_MAIN("job", { "a wake runs it soon", a_wake_runs_it_soon },
	{ "steady wakes do not postpone the run", steady_wakes_do_not_postpone },
	{ "a wake during a run leads to one more", a_wake_during_a_run_leads_to_one_more },
	{ "a failed run backs off", a_failed_run_backs_off }, { "parts of a run", parts_of_a_run },
	{ "after the stop nothing starts", after_the_stop_nothing_starts })
