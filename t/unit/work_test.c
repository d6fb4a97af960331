/* SPDX-License-Identifier: Apache-2.0
 * The queue of a pool of helpers: whose job has its turn. The helpers are stand-ins that hold a job
 * until the test ends it. */
#include "loop/loop.h"
#include "unit.h"
#include "../../src/work/inner.h"

#define QUEUE 64 /* of the pool "hash" */

static struct helper *helper;
static struct loop_timer *limit;
static int ended[WORK_LATE + 1];

/* --- the stand-in --- */

void helper_init(struct helper *h, struct pool *pool)
{
	h->pool = pool;
	h->state = HELPER_IDLE;
	h->job = NULL;
	if (strcmp(pool->name, "hash") == 0)
		helper = h;
}

void helper_give(struct helper *h, struct job *j)
{
	h->state = HELPER_BUSY;
	h->job = j;
}

void helper_stop(struct helper *h)
{
	struct job *j = h->job;

	h->state = HELPER_DOWN;
	h->job = NULL;
	if (j)
		pool_lost(h->pool, j);
}

int helper_spawn(const char *program, pid_t *out_pid, int *out_fd)
{
	(void)program;
	(void)out_pid;
	(void)out_fd;
	return 1;
}

void helper_reap(int signo)
{
	(void)signo;
}

/* --- steps --- */

static void on_limit(void *arg)
{
	(void)arg;
	loop_stop();
}

/* Deliver what has ended. */
static void turn(void)
{
	loop_timer_set(limit, 1000);
	loop_run();
}

static void on_done(void *arg, enum work_end end, struct str answer)
{
	(void)arg;
	(void)answer;
	ended[end]++;
}

static bool submit(const char *owner, int64_t customer, bool first)
{
	return work_submit(&(struct work_job){ .kind = WORK_HASH,
		.p = "x",
		.n = 1,
		.timeout_ms = 1000,
		.on_done = on_done,
		.owner = owner,
		.customer = customer,
		.first = first });
}

/* The helper ends its job and gets the next one. Returns the owner of that one, or "". */
static const char *next(void)
{
	struct job *j = helper->job;

	helper->job = NULL;
	helper->state = HELPER_IDLE;
	if (j)
		pool_done(helper->pool, j, WORK_DONE);
	pool_idle(helper->pool);
	return helper->job ? helper->job->owner : "";
}

/* How many jobs the helper gets until it has one of OWNER. */
static int wait_of(const char *owner)
{
	int n = 1;

	while (strcmp(next(), owner) != 0)
		if (!helper->job || ++n > 2 * QUEUE)
			return -1;
	return n;
}

static void begin(void)
{
	struct work_settings s = { .dir = "/nowhere", .count = { 1, 1, 1, 1 } };

	memset(ended, 0, sizeof(ended));
	loop_init();
	limit = loop_timer_new(on_limit, NULL);
	work_init(&s);
}

static void end(void)
{
	work_free();
	turn();
	loop_timer_free(limit);
	loop_free();
}

/* --- tests --- */

static void a_stranger_passes_a_flood(void)
{
	for (int64_t customer = 12; customer <= 13; customer++) { /* the flood's, and another one */
		begin();
		for (int i = 0; i < QUEUE; i++)
			CU_ASSERT(submit("flood", 12, false));
		CU_ASSERT(submit("stranger", customer, false));
		/* behind one job of the other owner, if they share the turns of a customer */
		CU_ASSERT(wait_of("stranger") <= 3);
		/* and again, while the flood fills the queue up */
		for (int round = 0; round < 20; round++) {
			while (submit("flood", 12, false))
				;
			CU_ASSERT(submit("stranger", customer, false));
			CU_ASSERT(wait_of("stranger") <= 3);
		}
		end();
	}
}

static void a_full_queue_gives_up_the_last_turn(void)
{
	begin();
	for (int i = 0; i < QUEUE + 1; i++) /* one is with the helper */
		CU_ASSERT(submit("flood", 12, false));
	CU_ASSERT_FALSE(submit("flood", 12, false));
	CU_ASSERT_EQUAL(work_health(POOL_HASH).queued, QUEUE);
	CU_ASSERT(submit("stranger", 13, false));
	turn();
	CU_ASSERT_EQUAL(ended[WORK_LATE], 1);
	CU_ASSERT_EQUAL(work_health(POOL_HASH).queued, QUEUE);
	CU_ASSERT(wait_of("stranger") <= 3);
	end();
}

static void owners_of_one_customer_share_its_turns(void)
{
	char name[20];

	begin();
	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "address %d", i);
		CU_ASSERT(submit(name, 12, false));
	}
	CU_ASSERT(submit("other", 13, false));
	CU_ASSERT(wait_of("other") <= 3);
	/* the addresses of the customer are served in the order in which they came */
	for (int i = 0; i < 3; i++)
		next();
	CU_ASSERT(strncmp(helper->job->owner, "address ", 8) == 0);
	end();
}

static void known_owners_go_first(void)
{
	int known = 0, strangers = 0;

	begin();
	CU_ASSERT(submit("running", 0, false));
	for (int i = 0; i < 30; i++)
		CU_ASSERT(submit("flood", 12, false));
	for (int i = 0; i < 12; i++)
		CU_ASSERT(submit("home", 12, true));
	for (int i = 0; i < 16; i++) /* three of the known, then a stranger's */
		if (strcmp(next(), "home") == 0)
			known++;
		else
			strangers++;
	CU_ASSERT_EQUAL(known, 12);
	CU_ASSERT_EQUAL(strangers, 4);
	end();
}

static void a_lost_job_is_tried_again_first(void)
{
	begin();
	CU_ASSERT(submit("unlucky", 12, false));
	for (int i = 0; i < 10; i++)
		CU_ASSERT(submit("flood", 12, false));
	for (int tries = 1; tries <= 3; tries++) {
		struct job *j = helper->job;

		CU_ASSERT_STRING_EQUAL(j->owner, "unlucky");
		helper->job = NULL;
		helper->state = HELPER_IDLE;
		pool_lost(helper->pool, j);
		if (!helper->job)
			pool_idle(helper->pool);
	}
	CU_ASSERT_STRING_EQUAL(helper->job->owner, "flood");
	turn();
	CU_ASSERT_EQUAL(ended[WORK_LOST], 1);
	end();
}

UNIT_MAIN("work", { "a stranger passes a flood", a_stranger_passes_a_flood },
	{ "a full queue gives up the last turn", a_full_queue_gives_up_the_last_turn },
	{ "owners of one customer share its turns", owners_of_one_customer_share_its_turns },
	{ "known owners go first", known_owners_go_first },
	{ "a lost job is tried again first", a_lost_job_is_tried_again_first })
