/* SPDX-License-Identifier: Apache-2.0
 * A clock that was paused hundreds of times, with windows excluded before, in and after the pauses:
 * its consumption and due instant equal those of a model that counts minutes. */
#include "sla/clock.h"
#include "unit.h"
#include "zones.h"

#include <string.h>

#define MIN (60 * US_PER_S)
#define T0 1767607200000000LL /* 2026-01-05T10:00:00Z, a Monday */
#define MINUTES 40000

static struct sla_policy policy;
static struct sla_ticket ticket;
static int64_t seq;
static uint32_t seed;

static int rnd(int n)
{
	seed = seed * 1664525 + 1013904223;
	return (int)((seed >> 8) % (uint32_t)n);
}

/* --- the model: which minutes since T0 count --- */

static struct model {
	const struct calendar *calendar;
	bool open[MINUTES], running[MINUTES], excluded[MINUTES];
} model;

static bool counts(int minute)
{
	return model.open[minute] && model.running[minute] && !model.excluded[minute];
}

static int64_t model_consumed(int now)
{
	int64_t n = 0;

	for (int m = 0; m < now; m++)
		n += counts(m);
	return n * MIN;
}

/* INSTANT_NONE: not within the time that has run; a running clock is assumed to run on. */
static int64_t model_due(int now, bool running, int budget)
{
	int left = budget;

	for (int m = 0; m < MINUTES; m++) {
		bool runs = m < now ? model.running[m] : running;

		if (model.open[m] && runs && !model.excluded[m] && --left == 0)
			return T0 + (m + 1) * MIN;
	}
	return INSTANT_NONE;
}

/* --- a random life --- */

static struct sla_rules rules(void)
{
	return (struct sla_rules){ &policy, model.calendar };
}

static void apply(struct sla_event e)
{
	struct sla_fire fires[256];

	while (sla_settle(&ticket, rules(), e.at, fires, ARRAY_LEN(fires)) == ARRAY_LEN(fires))
		;
	e.seq = ++seq;
	e.reckon_at = INSTANT_NONE;
	e.priority = P2;
	sla_apply(&ticket, rules(), &e);
}

static void set_budget(int minutes)
{
	char doc[400];
	const char *error = "";
	struct json_error err;
	struct json_object *o;

	snprintf(doc, sizeof(doc),
		"{\"priorities\":{\"P2\":{\"response_s\":34560000,\"resolution_s\":%d}},"
		"\"resolution_from\":\"created\",\"thresholds\":[\"80\",\"100\"]}",
		minutes * 60);
	o = json_read(doc, strlen(doc), &err);
	CU_ASSERT_FATAL(o && sla_policy_read(o, &policy, &error));
	json_object_put(o);
}

static void exclude(int now, enum ticket_state state)
{
	int from = now - 600 + rnd(1200), to;

	from = from < 0 ? 0 : from;
	to = from + 1 + rnd(90);
	apply((struct sla_event){ .type = SLA_WINDOW,
		.at = T0 + now * MIN,
		.state = state,
		.from = T0 + from * MIN,
		.to = T0 + to * MIN });
	for (int m = from; m < to && m < MINUTES; m++)
		model.excluded[m] = true;
}

static void compare(int now, bool running, int budget)
{
	int64_t due = sla_due(&ticket, rules(), SLA_RESOLUTION);

	CU_ASSERT_EQUAL(sla_consumed_us(&ticket, rules(), SLA_RESOLUTION, T0 + now * MIN),
		model_consumed(now));
	CU_ASSERT_EQUAL(due, model_due(now, running, budget));
}

/* PAUSES pauses, and WINDOWS windows among them; the budget ends within the first ones or never. */
static void one_life(int pauses, int windows, int budget)
{
	int now = 0;
	bool running = true;

	memset(model.running, 0, sizeof(model.running));
	memset(model.excluded, 0, sizeof(model.excluded));
	set_budget(budget);
	sla_ticket_free(&ticket);
	sla_ticket_init(&ticket);
	apply((struct sla_event){ .type = SLA_CREATED, .at = T0, .state = TICKET_IN_PROGRESS });
	for (int i = 0; i < 2 * pauses; i++) {
		int then = now + 1 + rnd(60);

		for (int m = now; m < then; m++)
			model.running[m] = running;
		now = then;
		running = !running;
		apply((struct sla_event){ .type = SLA_STATE,
			.at = T0 + now * MIN,
			.state = running ? TICKET_IN_PROGRESS : TICKET_PENDING_CUSTOMER });
		if (rnd(2 * pauses) < windows)
			exclude(now, running ? TICKET_IN_PROGRESS : TICKET_PENDING_CUSTOMER);
		if (rnd(2 * pauses) < 3)
			compare(now, running, budget);
	}
	compare(now, running, budget);
}

static void lives(const struct calendar *calendar)
{
	model.calendar = calendar;
	for (int m = 0; m < MINUTES; m++)
		model.open[m] = calendar_is_open(calendar, T0 + m * MIN);
	seed = 7;
	for (int pauses = 1; pauses <= 300; pauses += pauses < 70 ? 1 : 5)
		one_life(pauses, pauses % 3 ? rnd(40) : 0, 1 + rnd(pauses * 30));
}

static struct calendar *always;

static void around_the_clock(void)
{
	if (!always)
		always = calendar_always();
	lives(always);
}

static void in_office_hours(void)
{
	struct calendar *c = test_calendar(
		"{\"tz\":\"Asia/Shanghai\",\"hours\":{\"mon\":[[\"09:00\",\"12:00\"],[\"13:00\","
		"\"18:00\"]],\"tue\":[[\"09:00\",\"18:00\"]],\"wed\":[[\"09:00\",\"18:00\"]],"
		"\"thu\":[[\"00:00\",\"24:00\"]],\"fri\":[[\"09:00\",\"18:00\"]]}}");

	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	lives(c);
	calendar_free(c);
}

/* Beyond the runs that a clock keeps, the sum and the future instants stay right. */
static void beyond_the_bound(void)
{
	const struct sla_clock *c = &ticket.clock[SLA_RESOLUTION];
	int64_t at = T0;

	model.calendar = always;
	set_budget(10 * SLA_RUNS_MAX);
	sla_ticket_free(&ticket);
	sla_ticket_init(&ticket);
	apply((struct sla_event){ .type = SLA_CREATED, .at = at, .state = TICKET_IN_PROGRESS });
	for (int i = 0; i < 2 * SLA_RUNS_MAX; i++)
		for (int paused = 1; paused >= 0; paused--)
			apply((struct sla_event){ .type = SLA_STATE,
				.at = at += MIN,
				.state = paused ? TICKET_PENDING_CUSTOMER : TICKET_IN_PROGRESS });
	CU_ASSERT_EQUAL(c->runs.n, SLA_RUNS_MAX);
	CU_ASSERT_EQUAL(
		sla_consumed_us(&ticket, rules(), SLA_RESOLUTION, at), 2LL * SLA_RUNS_MAX * MIN);
	CU_ASSERT_EQUAL(sla_due(&ticket, rules(), SLA_RESOLUTION), at + 8LL * SLA_RUNS_MAX * MIN);
}

/* As earlier versions stored it: at most 64 runs, and the sum of those before. */
static void an_old_row(void)
{
	struct sla_clock *c = &ticket.clock[SLA_RESOLUTION];

	model.calendar = always;
	set_budget(200);
	sla_ticket_free(&ticket);
	sla_ticket_init(&ticket);
	ticket.state = TICKET_PENDING_CUSTOMER;
	ticket.priority = P2;
	*c = (struct sla_clock){ .state = CLOCK_PAUSED,
		.cycle = 1,
		.budget_s = 200 * 60,
		.start_at = T0,
		.stopped_at = INSTANT_NONE,
		.breached_at = INSTANT_NONE,
		.carry_us = 36 * MIN };
	for (int i = 0; i < 64; i++)
		sla_runs_add(&c->runs, T0 + (72 + 2 * i) * MIN, T0 + (73 + 2 * i) * MIN);
	CU_ASSERT_EQUAL(
		sla_consumed_us(&ticket, rules(), SLA_RESOLUTION, T0 + 300 * MIN), 100 * MIN);
	apply((struct sla_event){
		.type = SLA_STATE, .at = T0 + 300 * MIN, .state = TICKET_IN_PROGRESS });
	CU_ASSERT_EQUAL(c->runs.n, 65);
	CU_ASSERT_EQUAL(sla_due(&ticket, rules(), SLA_RESOLUTION), T0 + 400 * MIN);
}

UNIT_MAIN("runs", { "hundreds of pauses, around the clock", around_the_clock },
	{ "hundreds of pauses, in office hours", in_office_hours },
	{ "more pauses than a clock keeps", beyond_the_bound },
	{ "a row of an earlier version", an_old_row })
