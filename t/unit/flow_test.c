/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/log.h"
#include "core/flow.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { ONE, TWO, THREE, FOUR };

static char path[64]; /* of the steps that ran */
static int ended, rounds;
static struct flow f;

static void mark(const char *name)
{
	strcat(path, name);
}

static struct outcome *step_one(struct flow *flow)
{
	mark("1");
	return flow_go(flow, TWO);
}

static struct outcome *step_two(struct flow *flow)
{
	mark("2");
	return flow_wait(flow, THREE);
}

static struct outcome *step_three(struct flow *flow)
{
	mark("3");
	return ++rounds < 3 ? flow_go(flow, TWO) : flow_go(flow, FOUR);
}

static struct outcome *step_four(struct flow *flow)
{
	mark("4");
	return flow_end(flow);
}

static const struct flow_step steps[] = {
	[ONE] = { "one", step_one },
	[TWO] = { "two", step_two },
	[THREE] = { "three", step_three },
	[FOUR] = { "four", step_four },
};

static void on_end(struct flow *flow)
{
	CU_ASSERT_PTR_EQUAL(flow, &f);
	CU_ASSERT_FALSE(flow_is_running(flow));
	ended++;
}

static const struct flow_kind kind = { "test", steps, on_end };

static void begin(void)
{
	path[0] = 0;
	ended = rounds = 0;
	f = (struct flow){ 0 };
	flow_start(&f, &kind, 7);
}

static void steps_in_order(void)
{
	begin();
	for (int i = 0; i < 3; i++) {
		CU_ASSERT(flow_is_running(&f));
		CU_ASSERT_EQUAL(ended, 0);
		flow_arrived(&f);
	}
	CU_ASSERT_STRING_EQUAL(path, "12323234");
	CU_ASSERT_EQUAL(ended, 1);
	CU_ASSERT_FALSE(flow_is_running(&f));
}

/* After a stop, no step runs, but the pending wait must end first, because its owner still writes
 * to the flow. */
static void stopped(void)
{
	begin();
	flow_stop(&f);
	CU_ASSERT_EQUAL(ended, 0);
	flow_arrived(&f);
	CU_ASSERT_STRING_EQUAL(path, "12");
	CU_ASSERT_EQUAL(ended, 1);
	CU_ASSERT(f.stopped);
	begin(); /* it can be started again */
	CU_ASSERT_FALSE(f.stopped);
	CU_ASSERT(flow_is_running(&f));
}

/* A wait that ends within the call that began it does not recurse. */
static struct outcome *step_nested(struct flow *flow)
{
	static int what[1000];

	if (rounds)
		CU_ASSERT_PTR_EQUAL(flow->brought, &what[rounds - 1]);
	flow_bring(flow, &what[rounds]);
	CU_ASSERT(flow->running);
	return flow_wait(flow, ++rounds < 1000 ? ONE : TWO);
}

static struct outcome *step_last(struct flow *flow)
{
	mark(flow->brought ? "!" : "?");
	return flow_end(flow);
}

static void nested(void)
{
	static const struct flow_step table[] = { { "again", step_nested }, { "last", step_last } };
	static const struct flow_kind again = { "nested", table, on_end };

	path[0] = 0;
	ended = rounds = 0;
	f = (struct flow){ 0 };
	flow_start(&f, &again, 1);
	CU_ASSERT_EQUAL(rounds, 1000);
	CU_ASSERT_STRING_EQUAL(path, "!");
	CU_ASSERT_EQUAL(ended, 1);
}

static void the_log_names_the_steps(void)
{
	char file[] = "/tmp/sladesk-flow-XXXXXX", text[4096] = "";
	int fd = mkstemp(file);

	CU_ASSERT(log_open(file, LOG_DEBUG, false));
	begin();
	for (int i = 0; i < 3; i++)
		flow_arrived(&f);
	CU_ASSERT(read(fd, text, sizeof(text) - 1) > 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "flow=test id=7 one -> two 0ms"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "flow=test id=7 two -> three "));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "flow=test id=7 three -> four "));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "flow=test id=7 four -> end "));
	CU_ASSERT(log_open("stderr", LOG_INFO, false));
	close(fd);
	unlink(file);
}

UNIT_MAIN("flow", { "steps in order", steps_in_order }, { "stopped", stopped },
	{ "nested", nested }, { "the log names the steps", the_log_names_the_steps })
